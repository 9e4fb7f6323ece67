"""``make bench``: Sepcam's networks and pipeline against the machine and against its peers, in one run."""

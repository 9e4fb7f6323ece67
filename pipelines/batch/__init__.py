"""Many files: what is to be done, what is done by now, and who does it."""

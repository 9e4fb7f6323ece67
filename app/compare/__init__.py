"""``sepcam compare``: measuring both forms of the networks, and the report."""

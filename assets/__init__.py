"""Files that ship with Sepcam; see README.md beside this one."""

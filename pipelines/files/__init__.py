"""Files on disk: their types by name, and text files written line by line."""

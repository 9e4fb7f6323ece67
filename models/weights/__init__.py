"""Where weights come from, how they are checked, read and kept."""

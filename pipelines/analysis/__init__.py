"""The analysis of one frame: when to detect, whom to look at, and what comes of it."""

"""``sepcam process``: one video, or a job of many files."""

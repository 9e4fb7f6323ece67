"""The tasks that a job's files are divided into, and how each is run."""

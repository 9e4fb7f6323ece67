"""A job's files: finding inputs, naming outputs, remote stores and transfers."""

"""Kinds of results: every module that has a constant ``KIND`` is one; see `registry`."""

"""A live session: capture, analysis, view, status, recordings, adaptive quality."""

"""The page's live view."""

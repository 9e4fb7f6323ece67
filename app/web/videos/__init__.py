"""The page's videos tab: uploaded files."""

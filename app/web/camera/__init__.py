"""The page's camera tab: a visitor's own camera."""

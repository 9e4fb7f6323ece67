"""From an image to boxes: what happens before and after a detection network."""

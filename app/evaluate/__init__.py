"""``sepcam evaluate``: accuracy on annotated images and video."""

"""``sepcam serve``: the live picture, visitors' cameras and video files in a browser."""

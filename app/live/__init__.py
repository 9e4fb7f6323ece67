"""``sepcam live``: the window, its keys, and the headless view."""

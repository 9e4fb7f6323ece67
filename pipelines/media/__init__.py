"""Facts of media files: containers, timestamps, sound, and decoded frames as images."""

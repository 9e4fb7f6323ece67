"""``sepcam train``: fine-tunes the network that ships on labeled images."""

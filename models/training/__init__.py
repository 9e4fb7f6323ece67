"""Training: labeled images in, a network file that ``--detector`` takes out."""

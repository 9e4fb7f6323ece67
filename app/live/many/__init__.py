"""Several sources watched at once, on one set of networks: their sessions, the grid, its keys."""

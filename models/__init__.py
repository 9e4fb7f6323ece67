"""The networks: what is computed. Knows images and weights, but no video and no command line."""

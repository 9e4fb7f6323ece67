"""Faces, people or whole images that are made unrecognizable."""

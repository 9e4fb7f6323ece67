"""Identities that stay with people and objects from frame to frame."""

"""Files on disk: written whole or not at all, told apart by type, written as text."""

"""Damaged files through the whole path: ``make fuzz``."""

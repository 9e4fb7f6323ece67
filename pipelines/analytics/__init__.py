"""What tracks say about places: zones, lines, counts, events."""

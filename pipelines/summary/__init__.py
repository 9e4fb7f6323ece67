"""What was counted, as one HTML page with plots that needs no network."""

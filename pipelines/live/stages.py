"""What is done with each frame of a live session: analysed as the switches say, drawn, kept."""

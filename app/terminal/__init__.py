"""What the terminal shows and sends: messages, progress, signals, contact sheets."""

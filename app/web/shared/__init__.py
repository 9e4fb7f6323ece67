"""What the page's parts share: downloads and WebSocket messages."""

"""What a network costs and how fast it is, and checks that its two forms agree."""

"""What a job remembers on disk: its folder, its journal, its settings."""

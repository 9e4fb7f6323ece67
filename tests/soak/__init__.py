"""A job under fire: many kinds of clips, killed again and again, must end as if nothing had happened."""

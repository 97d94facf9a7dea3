"""A petition and coalition site."""

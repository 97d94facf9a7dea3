"""Testimonies: told safely, read with care, published by two."""

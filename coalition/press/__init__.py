"""Figures for the press: what is published of the count, so that nobody can be picked out."""

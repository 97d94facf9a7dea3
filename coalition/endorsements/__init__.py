"""Supporter organisations: register, confirm, decide, show, withdraw."""

"""Signatures: sign, verify, manage, withdraw, count."""

"""Public pages that join features."""

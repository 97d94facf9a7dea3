"""The campaign's own words, as versioned documents."""

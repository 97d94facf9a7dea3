"""What every page shares: headers, origin check, rate limits, caching, errors, addresses."""

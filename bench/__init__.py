"""What the site costs and carries, each figure beside its limit, measured in the same run."""

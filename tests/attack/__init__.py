"""What somebody tries who means harm: one file for each kind. What a single page does against it
stands with that page's own tests."""

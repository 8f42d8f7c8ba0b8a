"""Reports: one renderer each, from the same document."""

"""What is measured rather than asserted: each module prints tables."""

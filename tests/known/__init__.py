"""Known answers on real data."""

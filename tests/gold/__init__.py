"""Snapshots of what is printed and written."""

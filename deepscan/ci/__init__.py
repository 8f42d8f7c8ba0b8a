"""Scans that run again and again: what was accepted before, and what has changed since."""

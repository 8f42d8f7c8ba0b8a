"""Marks that generators leave in files: one small file a dialect, data plus parser, listed in ``catalogue.py``."""

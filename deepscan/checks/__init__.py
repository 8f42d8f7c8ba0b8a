"""The checks: one file each, listed in ``catalogue.py``."""

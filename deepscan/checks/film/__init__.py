"""Faces followed through a film: what is looked at, what a track and a film are worth, and how they are drawn."""

"""Faces followed from frame to frame through short stretches of a film, and what is measured on them there."""

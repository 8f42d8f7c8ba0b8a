"""Measuring packs on labelled pictures: what they are worth, where, and under what happens to pictures."""

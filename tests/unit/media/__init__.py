"""Unit tests of deepscan.media."""

"""Unit tests of deepscan.custody."""

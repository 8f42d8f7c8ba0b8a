"""Unit tests of deepscan.engine."""

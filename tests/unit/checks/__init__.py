"""Unit tests of deepscan.checks."""

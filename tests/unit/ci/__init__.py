"""Unit tests of deepscan.ci."""

"""Unit tests of deepscan.training."""

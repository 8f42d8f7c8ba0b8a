"""Unit tests of deepscan.evaluation."""

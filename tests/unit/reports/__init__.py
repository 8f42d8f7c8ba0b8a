"""Unit tests of deepscan.reports."""

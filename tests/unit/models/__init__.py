"""Unit tests of deepscan.models."""

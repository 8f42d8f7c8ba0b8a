"""The tests of deepscan."""

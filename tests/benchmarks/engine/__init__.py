"""Measures the engine and the model: ``python -m tests.benchmarks.engine``."""

"""What the evidence checks reach on files whose answers are known: ``python -m tests.benchmarks.evidence [NAME]``."""

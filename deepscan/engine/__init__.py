"""How files travel: plan, workers, batches, verdicts, the case file."""

"""Whether a report and its evidence are what they were: hashes, seals, signatures, and the same scan again."""

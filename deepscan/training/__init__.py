"""Training and measuring of model packs."""

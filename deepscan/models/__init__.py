"""Model packs: cards, where packs come from, preprocessing and loading."""

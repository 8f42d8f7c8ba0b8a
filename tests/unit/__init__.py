"""Each module by itself; the folders mirror deepscan/."""

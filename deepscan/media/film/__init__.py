"""Films: readers behind one protocol, which frames are looked at, where shots begin, and faces followed in them."""

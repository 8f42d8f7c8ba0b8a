"""Files into pixels: discovery, identification, decoding, faces, and the limits on all of them."""

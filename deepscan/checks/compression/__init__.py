"""What JPEG compression leaves in the pixels: its grid of blocks, and the steps its coefficients were rounded to."""

"""What every check, renderer, executor and pack must keep to."""

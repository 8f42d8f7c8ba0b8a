"""Reading what a file says about itself, container by container, with limits held against hostile bytes."""

"""Reading content credentials (C2PA): where they sit, what the validator says of them, and what that means."""

"""How parts of a picture that are copies of one another are found: the method of the check ``copy_move``."""

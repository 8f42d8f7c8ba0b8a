"""What the HTML report is made of: the index of files, their details in parts, and the pictures."""

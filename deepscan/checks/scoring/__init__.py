"""What the classifier makes of its scores: findings in words, maps of what moved them, and whether they hold."""

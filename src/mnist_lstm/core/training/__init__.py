"""Training: the loop, what it updates, and the checkpoint that it can continue from."""

"""The training loop, the state that it updates, and checkpoints to resume from."""

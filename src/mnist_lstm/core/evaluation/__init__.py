"""How good the predictions are, and how they come about step by step."""

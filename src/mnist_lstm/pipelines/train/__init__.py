"""From sequences to a trained classifier."""

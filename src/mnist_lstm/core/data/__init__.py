"""From image files to the sequences that the network reads."""

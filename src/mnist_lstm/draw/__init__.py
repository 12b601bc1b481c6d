"""A page to draw a digit on, and to watch the network read it."""

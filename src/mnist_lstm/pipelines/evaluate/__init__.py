"""From a classifier and test images to metrics."""

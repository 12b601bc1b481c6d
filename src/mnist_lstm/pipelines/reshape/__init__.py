"""From images to sequences."""

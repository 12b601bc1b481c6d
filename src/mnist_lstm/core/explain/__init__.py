"""The page that explains how a trained network reads an image, with the network itself in it."""

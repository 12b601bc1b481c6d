"""Images from files to sequences: what the network is given."""

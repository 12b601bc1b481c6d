"""A recorded run as one sealed file: to write, to verify without its store, and to import."""

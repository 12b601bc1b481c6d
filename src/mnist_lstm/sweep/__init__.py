"""Sweeps: many runs by one command, as child runs of a study that MLflow shows as a whole."""

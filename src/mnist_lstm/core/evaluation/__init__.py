"""Metrics of the predictions, and how the predictions develop step by step."""

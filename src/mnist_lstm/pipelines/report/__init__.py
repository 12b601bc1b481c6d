"""From a classifier and its metrics to figures and pages."""

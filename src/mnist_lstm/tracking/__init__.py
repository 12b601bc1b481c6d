"""MLflow as an observer of the catalog: nothing else in the project talks to it during a run."""

"""The science in plain numpy and torch: no Kedro, no MLflow, no paths, no environment variables."""

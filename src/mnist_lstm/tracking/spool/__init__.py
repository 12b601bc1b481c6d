"""What waits for MLflow: operations that it did not take, written to the disk and sent later."""

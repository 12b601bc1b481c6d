"""What MLflow has not received yet: operations on the disk, and how they are sent later."""

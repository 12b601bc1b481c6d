"""`kedro compare`: how recorded runs differ, and whether by more than chance."""

"""The catalog's datasets: files written atomically, with previews in Kedro-Viz."""

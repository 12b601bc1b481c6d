"""The catalog's datasets: files that are whole or absent, and that Kedro-Viz can show."""

"""Checks before a run starts: parameters, command-line options, configuration files and disk space."""

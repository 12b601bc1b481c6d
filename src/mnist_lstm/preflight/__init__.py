"""What is checked before a run starts: parameters, options, configuration files, and disk space."""

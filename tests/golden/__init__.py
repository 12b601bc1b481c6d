"""What earlier versions computed, and a checkpoint that version 0.1.0 wrote."""

"""From a user's pictures to predicted digits."""

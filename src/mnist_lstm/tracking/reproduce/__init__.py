"""`kedro reproduce`: runs a recorded run again and compares the two bit by bit."""

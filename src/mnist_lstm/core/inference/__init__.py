"""People's own pictures: decoded, preprocessed and classified."""

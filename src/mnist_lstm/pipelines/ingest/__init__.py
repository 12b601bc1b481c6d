"""From files to checked images and labels in three splits."""

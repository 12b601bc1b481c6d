"""What tests of several rooms share: copies of the project, tiny networks, finished runs, a browser."""

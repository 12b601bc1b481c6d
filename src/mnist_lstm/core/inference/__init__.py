"""Decodes, preprocesses and classifies users' pictures."""

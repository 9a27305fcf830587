"""Footage with a clean licence, gathered from packages and rendered by free games."""

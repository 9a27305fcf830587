"""What runs Firebreak for real."""

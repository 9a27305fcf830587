"""Detection: what the model says of each frame sample."""

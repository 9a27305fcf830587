"""Policies tried on what was recorded: the pure cores over detections, faster than real time."""

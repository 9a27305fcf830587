"""Temporal aggregation: detections of one stream become windows and a risk."""

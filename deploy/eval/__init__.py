"""Evaluation of a bundle: what is judged, what the topology makes of it, and how sure that is."""

"""On-call: the picture of all streams that people watch, and the pages that show it."""

"""The demo: sources, clips and the story that it plays."""

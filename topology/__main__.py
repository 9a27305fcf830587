"""``python -m topology`` is ``firebreak``."""

from .cli import main

main(prog_name="firebreak")

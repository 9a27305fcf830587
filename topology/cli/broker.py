"""``firebreak broker``: the embedded broker alone."""

from __future__ import annotations

import signal
import threading

import click

from ..broker import EmbeddedBroker
from ..settings import load_settings

_CHECK_SECONDS = 0.5


@click.command()
def broker() -> None:
    """Run the embedded broker until it is told to stop; its records are lost then."""
    settings = load_settings()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with EmbeddedBroker(settings) as embedded:
        click.echo(embedded.bootstrap)
        while not stop.wait(_CHECK_SECONDS):
            embedded.check()

"""``firebreak up``: the whole topology on this machine."""

from __future__ import annotations

import signal
import threading

import click

from ..app import Role
from ..settings import load_settings
from ..stack import run_stack

_CHECK_SECONDS = 1.0


@click.command()
def up() -> None:
    """Run the whole topology on this machine until it is told to stop.

    Starts an embedded broker where FIREBREAK_BOOTSTRAP_SERVERS is not set, brings the topics up
    to the plan, and runs one detection and one judgement worker.
    """
    settings = load_settings()
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    with run_stack(settings) as stack:
        if stack.broker is not None:
            click.echo(f"embedded broker  {stack.bootstrap}  (in memory, lost when it stops)")
        if stack.decision_keys is not None:
            click.echo(f"decision keys    {stack.decision_keys}")
        click.echo(f"on-call page     {stack.fleet.web_urls[Role.JUDGEMENT]}/")
        while not stop.wait(_CHECK_SECONDS):
            for line in stack.check():
                click.echo(line, err=True)

"""``firebreak up``: the whole topology on this machine."""

from __future__ import annotations

import signal
import threading

import click

from agents.oncall.access.roles import Person
from agents.oncall.access.roles import Role as WebRole

from ..app import Role
from ..settings import load_settings
from ..stack import run_stack

_CHECK_SECONDS = 1.0
_WHO = Person("local", WebRole.ADMIN)
"""Who started all of it may do all of it."""


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
        click.echo(f"sign in, once    {stack.one_time_link(_WHO)}")
        click.echo("                 within ten minutes; then `firebreak token create --once`")
        while not stop.wait(_CHECK_SECONDS):
            for line in stack.check():
                click.echo(line, err=True)

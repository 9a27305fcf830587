"""``firebreak worker``: one worker process."""

from __future__ import annotations

import click

from ..app import Role
from ..broker import resolve_bootstrap
from ..settings import load_settings
from ..worker import run_worker


@click.command()
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.option("--web-port", type=int, help="Port of the web server; FIREBREAK_WEB_PORT otherwise.")
def worker(role: str, web_port: int | None) -> None:
    """Run one worker of ROLE until it is told to stop.

    `detection` judges frames and needs the GPU; `judgement` keeps the windows, decides, and
    serves the on-call page.
    """
    settings = load_settings(**({} if web_port is None else {"web_port": web_port}))
    run_worker(settings, resolve_bootstrap(settings), Role(role))

"""The command line: ``firebreak COMMAND``. Each command is a module, imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import click

from agents.detection.manifest import BundleInvalid

from ..errors import OperatorError

_COMMANDS = (
    "acls",
    "backtest",
    "broker",
    "corpus",
    "evaluate",
    "incident",
    "incidents",
    "keys",
    "override",
    "policy",
    "redrive",
    "sample",
    "token",
    "topics",
    "train",
    "up",
    "watch",
    "worker",
)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        return cast(click.Command, getattr(import_module(f"{__name__}.{name}"), name))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what the operator has to put right is told without a traceback."""
        try:
            return super().invoke(ctx)
        except (OperatorError, BundleInvalid) as error:
            raise click.ClickException(str(error)) from error


@click.command(cls=_Commands)
@click.version_option(package_name="firebreak")
def main() -> None:
    """Firebreak watches sampled frames of live streams and stops a live-streamed attack."""

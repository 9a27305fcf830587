"""``firebreak watch``: print decisions as they come."""

from __future__ import annotations

import os
import sys

import click

from topology.broker import resolve_bootstrap
from topology.kafka_config import librdkafka_config
from topology.lines import to_lines
from topology.settings import load_settings
from topology.watch import (
    WATCHED,
    Unreadable,
    Watched,
    printable,
    to_json,
)
from topology.watch import watch as read
from topology.wire import build_codec, build_verifier


@click.command()
@click.argument("what", type=click.Choice(list(WATCHED)))
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event and line.")
@click.option("--from-beginning", is_flag=True, help="Also what is there already.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many events.")
@click.option("--timeout", type=click.FloatRange(min=0), help="End after so many seconds.")
def watch(
    what: str, as_json: bool, from_beginning: bool, count: int | None, timeout: float | None
) -> None:
    """Print takedowns, escalations or whatever else is named, as they come.

    Reads as any consumer can, and commits nothing. With FIREBREAK_DECISION_KEYS, decisions that
    none of these keys has signed are complained of and not printed. Exits with 1 if --timeout came
    before --count.
    """
    settings = load_settings()
    config = librdkafka_config(settings, resolve_bootstrap(settings))
    events = read(
        config,
        build_codec(settings),
        what,
        from_beginning=from_beginning,
        timeout=timeout,
        verifier=build_verifier(settings),
    )
    seen = 0
    try:
        for found in events:
            if isinstance(found, Unreadable):
                _complain(found)
                continue
            _print(found, as_json)
            seen += 1
            if seen == count:
                return
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Whoever read this has gone; the interpreter's last flush must not find that out again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if count is not None:
        raise click.ClickException(f"{seen} of {count} events within {timeout:g} s")


def _print(watched: Watched, as_json: bool) -> None:
    lines = [to_json(watched)] if as_json else to_lines(watched.event)
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(record: Unreadable) -> None:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    click.echo(printable(f"{place}: {record.reason}"), err=True)

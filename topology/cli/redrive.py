"""``firebreak redrive``: have what could not be processed processed once more."""

from __future__ import annotations

import time
from collections import Counter

import click

from agents.dead_letters import DeadLetterCause

from ..broker import resolve_bootstrap
from ..kafka_config import librdkafka_config
from ..redrive import Choice
from ..redrive import redrive as put_back
from ..settings import load_settings
from ..watch import printable
from ..wire import build_codec
from .ordered import SAID
from .override import DURATION_TYPE


@click.command()
@click.option(
    "--cause",
    "causes",
    multiple=True,
    type=click.Choice(list(DeadLetterCause)),
    help="Of this cause alone; may be given several times.",
)
@click.option("--stream", default="", help="Of this stream alone.")
@click.option("--within", type=DURATION_TYPE, help="What failed of late, as in `2h`.")
@click.option(
    "--attempts",
    type=click.IntRange(min=2),
    default=3,
    show_default=True,
    help="Leave what has failed as often.",
)
@click.option("--operator", required=True, type=SAID, help="Pseudonym of who orders it.")
@click.option("--reason", required=True, type=SAID)
@click.option("--dry-run", is_flag=True, help="Say what would be put back, and put nothing back.")
def redrive(
    *,
    causes: tuple[str, ...],
    stream: str,
    within: int | None,
    attempts: int,
    operator: str,
    reason: str,
    dry_run: bool,
) -> None:
    """Put the records of dead letters back where they came from, each once.

    Of use once what they failed on has been put right. It may be called again at any time: what has
    been put back is not put back again.
    """
    settings = load_settings()
    since = 0 if within is None else time.time_ns() // 1000 - within
    outcome = put_back(
        librdkafka_config(settings, resolve_bootstrap(settings)),
        build_codec(settings),
        Choice(frozenset(causes), stream, since, attempts),
        operator=operator,
        reason=reason,
        dry_run=dry_run,
    )
    redriven = "would be redriven" if dry_run else "redriven"
    for what, letters in ((redriven, outcome.redriven), ("gone", outcome.gone)):
        for cause, count in sorted(Counter(letter.cause for letter in letters).items()):
            click.echo(printable(f"{what}: {count} {cause}"))
    click.echo(f"{len(outcome.redriven)} records{' would be' if dry_run else ''} put back")

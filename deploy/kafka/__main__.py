"""Runs Apache Kafka in the foreground: ``python -m deploy.kafka [--brokers 3]``.

Ctrl-C or SIGTERM ends it. Nothing that it held is kept.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from topology.errors import OperatorError

from .cluster import KafkaCluster

_CHECK_SECONDS = 0.5
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ClusterEnded(OperatorError):
    """All brokers ended by themselves."""


@click.command()
@click.option("--brokers", type=click.IntRange(1, 9), default=1, show_default=True)
@click.option("--heap-mb", type=click.IntRange(128), help="Each broker's.  [default: 1024, or 512]")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="For the data; must be empty, and is removed at the end.  [default: a temporary one]",
)
def main(*, brokers: int, heap_mb: int | None, folder: Path | None) -> None:
    """Run a cluster until it is ended from outside; prints where clients reach it."""
    folder = folder or Path(tempfile.mkdtemp(prefix="firebreak-kafka-"))
    try:
        with KafkaCluster(folder, brokers, heap_mb=heap_mb) as kafka:
            click.echo(f"FIREBREAK_BOOTSTRAP_SERVERS={kafka.bootstrap}")
            for number, pid in kafka.pids.items():
                click.echo(f"broker {number}: process {pid}", err=True)
            _watch(kafka)
            raise ClusterEnded("no broker is left")
    except OperatorError as error:
        raise click.ClickException(str(error)) from error


def _watch(kafka: KafkaCluster) -> None:
    """Tell of brokers that end; return when none is left."""
    told: set[str] = set()
    while kafka.pids:
        time.sleep(_CHECK_SECONDS)
        for line in kafka.ended():
            if line not in told:
                told.add(line)
                click.echo(line, err=True)


def _end(*_: object) -> None:
    """Ends once: a second signal must not interrupt the cleaning up."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


if __name__ == "__main__":
    for number in _ENDINGS:
        signal.signal(number, _end)
    main()

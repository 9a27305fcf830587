"""``firebreak incident``: what is open, and one incident as a folder that can be handed on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from agents.oncall.viewing import Asking
from schemas import Codec
from topology.broker import resolve_bootstrap
from topology.incident.evidence import cited
from topology.incident.export import files_of_incident
from topology.incident.folder import verify_folder, write_folder
from topology.incident.giving import write_down
from topology.incident.listing import OpenIncident
from topology.incident.log import TopicLog
from topology.incident.reading import IncidentReader, read_id
from topology.incident.records import utc
from topology.kafka_config import librdkafka_config
from topology.settings import load_settings
from topology.watch import printable
from topology.wire import build_codec

from .ordered import SAID


@click.group()
def incident() -> None:
    """Show open incidents, export one, and verify what was exported."""


@incident.command()
@click.argument("incident_id", metavar="ID")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder, which must not be there yet.  [default: incident-ID]",
)
@click.option("--operator", required=True, type=SAID, help="Pseudonym of who takes it.")
@click.option("--reason", required=True, type=SAID, help="Why; it is on record.")
def export(incident_id: str, out: Path | None, operator: str, reason: str) -> None:
    """Write all that is on record of incident ID to a folder that its owner alone can read.

    Nothing is written before the brokers have who asked for it, and why (`firebreak watch views`).
    It holds personal data and may hold pictures of violence. Keep the chain value that is printed
    somewhere else: with it, `verify` tells whether anything was changed since.
    """
    wanted_id = read_id(incident_id)
    config, codec = _kafka()
    with _reader(config, codec) as reader:
        record = reader.incident(wanted_id)
        wanted = cited(record)
        found = reader.frames(wanted, record.sessions)
    frames, files = files_of_incident(record, wanted, found)
    stream_id, now = record.sessions[0][0], time.time_ns() // 1000
    write_down(config, codec, Asking(operator, wanted_id, stream_id, reason, now))
    folder = out or Path(f"incident-{wanted_id}")
    manifest = write_folder(folder, wanted_id, files)
    gone = sum(not frame.file for frame in frames)
    drill = " DRILL" if record.drill else ""
    click.echo(f"{folder}:{drill} {len(record.events)} events, {len(frames)} frames, {gone} gone")
    if record.unreadable:
        click.echo(f"{len(record.unreadable)} records can't be read: see timeline.json", err=True)
    click.echo(f"chain {manifest.chain}")


@incident.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--chain", metavar="HEX", help="The chain value that `export` printed.")
def verify(folder: Path, chain: str | None) -> None:
    """Check an exported folder: which file was altered, is missing or was added.

    Exits with 1 if any was. Without --chain, a folder of which everything was made anew passes.
    """
    manifest, wrong = verify_folder(folder, chain and chain.strip().lower())
    for fault in wrong:
        click.echo(printable(f"{fault.file}: {fault.what}"), err=True)
    if wrong:
        raise click.ClickException("this is not the folder as it was written")
    click.echo(printable(f"whole: {len(manifest.entries)} files of {manifest.incident_id}"))
    if chain is None:
        click.echo(f"chain {manifest.chain}: compare it with the one that `export` printed")


@incident.command("list")
def list_open() -> None:
    """Print the open incidents, gravest first."""
    with _reader(*_kafka()) as reader:
        found, unreadable = reader.open_incidents()
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo("no open incidents", err=True)
    if unreadable:
        click.echo(f"{len(unreadable)} records can't be read, and some may be open", err=True)


def _line(found: OpenIncident) -> str:
    parts = (
        found.incident_id,
        found.severity,
        found.stream_id,
        *(["DRILL"] if found.drill else ()),
        f"opened {utc(found.opened_at)}",
        f"raised {found.times} times, last {utc(found.raised_at)}",
        f"{found.rule}: {found.explanation}",
    )
    return printable("  ".join(parts))


def _kafka() -> tuple[dict[str, Any], Codec]:
    """librdkafka's configuration, and what reads and writes records."""
    settings = load_settings()
    return librdkafka_config(settings, resolve_bootstrap(settings)), build_codec(settings)


@contextmanager
def _reader(config: dict[str, Any], codec: Codec) -> Iterator[IncidentReader]:
    log = TopicLog(config)
    try:
        yield IncidentReader(log, codec)
    finally:
        log.close()

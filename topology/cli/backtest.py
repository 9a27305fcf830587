"""``firebreak backtest``: a policy tried on recorded detections, against another."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from agents.decision.policies import Policies
from schemas import topics

from ..backtest.comparison import differences, outcomes, totals
from ..backtest.record import read_record, read_topic, write_record
from ..backtest.replay import Batch, Replay
from ..backtest.report import Side, decision_log, to_json, to_lines
from ..broker import resolve_bootstrap
from ..kafka_config import librdkafka_config
from ..policies import load_policy
from ..settings import load_settings
from ..wire import build_codec

_out = click.Path(dir_okay=False, path_type=Path)
_policy = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--policy", "new", type=_policy, required=True, help="The policy to try.")
@click.option("--against", type=_policy, help="Another, by default the one in FIREBREAK_POLICY.")
@click.option(
    "--from",
    "source",
    required=True,
    help=f"A record of detections (Avro container file), or the topic {topics.DETECTIONS}.",
)
@click.option("--json", "out", type=_out, help="Write the comparison as JSON.")
@click.option("--save", type=_out, help="Write what was read as a record.")
@click.option("--decisions", type=_out, help="Write the new policy's decisions, a JSON a line.")
def backtest(
    *,
    new: Path,
    against: Path | None,
    source: str,
    out: Path | None,
    save: Path | None,
    decisions: Path | None,
) -> None:
    """Replay recorded detections under two policies and print what differs, stream by stream.

    The same record and policies give the same decisions, to the byte. A stream that is taken down
    ends there, as it would have.
    """
    settings = load_settings()
    policies = [load_policy(against or settings.policy), load_policy(new)]
    batches = _read(source)
    if save is not None:
        kept = list(batches)
        write_record(save, kept)
        batches = iter(kept)
    replay = Replay([Policies(policy) for policy in policies])
    # What is read is let go again at once and holds no cycles: looking for some takes a third.
    gc.disable()
    began = time.perf_counter()
    replay.play(batches)
    seconds = time.perf_counter() - began
    gc.enable()
    found = [outcomes(decided.effects) for decided in replay.decided]
    before, after = (
        Side(policy, totals(each, replay.first_hits))
        for policy, each in zip(policies, found, strict=True)
    )
    changed = list(differences(*found))
    for line in to_lines(replay.detections, before, after, changed):
        click.echo(line)
    click.echo(f"{replay.detections / max(seconds, 1e-9):,.0f} detections a second", err=True)
    if out is not None:
        told = to_json(replay.detections, before, after, changed)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    if decisions is not None:
        decisions.write_bytes(decision_log(replay.decided[-1].effects))


def _read(source: str) -> Iterator[Batch]:
    if source != topics.DETECTIONS:
        return read_record(Path(source))
    settings = load_settings()
    config = librdkafka_config(settings, resolve_bootstrap(settings))
    return iter(read_topic(config, build_codec(settings)))

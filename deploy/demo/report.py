"""How the demo shows itself: the live table, the summary, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from deploy.demo.tally import StreamTally, Tally
from topology.sampler import RunReport

_STYLES = {
    "stopped": "bold red",
    "taken down": "bold red",
    "escalated": "yellow",
    "watching": "cyan",
    "clear": "green",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of a stream besides what the topics say of it."""

    kind: str
    onset: float | None
    """Seconds from the clip's start to its first firearm, where the clip is labelled."""


def live_table(tally: Tally, sent: Mapping[str, int], shown: Mapping[str, Shown]) -> Table:
    """One row a stream as it stands; ``sent`` counts frames handed to Kafka."""
    table = Table(title="streams", expand=False)
    for heading in ("stream", "kind", "state"):
        table.add_column(heading)
    for heading in ("risk", "frames", "lag"):
        table.add_column(heading, justify="right")
    for stream_id, about in shown.items():
        stream = tally.streams.get(stream_id, StreamTally())
        done = len(stream.judged) + stream.dead_letters
        table.add_row(
            stream_id,
            about.kind,
            f"[{_STYLES[stream.state]}]{stream.state}[/]",
            f"{stream.risk:.2f}",
            str(done),
            f"{max(sent.get(stream_id, 0) - done, 0)} frames",
        )
    return table


def summary_table(tally: Tally, shown: Mapping[str, Shown]) -> Table:
    """The outcome of each stream."""
    title = "first frame with a firearm to takedown (event and wall time), and on to the stop"
    table = Table(title=title, expand=False)
    for heading in ("stream", "kind", "outcome"):
        table.add_column(heading)
    for heading in ("frames", "peak", "event", "wall", "stop"):
        table.add_column(heading, justify="right")
    for stream_id, about in shown.items():
        stream = tally.stream(stream_id)
        seconds = stream.seconds_to_takedown(about.onset)
        stop = stream.seconds_to_stop_wall
        table.add_row(
            stream_id,
            about.kind,
            f"[{_STYLES[stream.state]}]{stream.state}[/]",
            str(len(stream.judged)),
            f"{stream.peak:.3f}",
            f"{seconds[0]:.1f} s" if seconds else "–",
            f"{seconds[1]:.1f} s" if seconds else "–",
            f"{stop:.1f} s" if stop is not None else "–",
        )
    return table


def summary_json(
    tally: Tally, shown: Mapping[str, Shown], frames_per_second: float
) -> dict[str, Any]:
    """The summary in the form that ``DEMO_JSON`` asks for."""
    streams = {}
    for stream_id, about in shown.items():
        stream = tally.stream(stream_id)
        seconds = stream.seconds_to_takedown(about.onset) or (None, None)
        streams[stream_id] = {
            "kind": about.kind,
            "frames": len(stream.judged),
            "escalated": stream.escalation is not None,
            "taken_down": stream.takedown is not None,
            "seconds_to_takedown_event_time": seconds[0],
            "seconds_to_takedown_wall": seconds[1],
            "stopped": stream.stopped_at is not None,
            "seconds_to_stop_wall": stream.seconds_to_stop_wall,
            "drill": stream.drill,
            "peak_signal": stream.peak,
        }
    return {
        "streams": streams,
        "frames_per_second": frames_per_second,
        "dead_letters": sum(tally.dead_letters.values()),
        "bundle": tally.bundle,
    }


def closing_line(tally: Tally, report: RunReport, frames_per_second: float) -> str:
    """The run in one line."""
    escalated = sum(stream.escalation is not None for stream in tally.streams.values())
    taken_down = sum(stream.takedown is not None for stream in tally.streams.values())
    stopped = sum(stream.stopped_at is not None for stream in tally.streams.values())
    dead = sum(tally.dead_letters.values())
    return (
        f"{tally.settled - dead} frames judged by {tally.bundle}, {report.bytes / 1e6:.1f} MB, "
        f"{frames_per_second:.0f} frames/s; "
        f"streams escalated {escalated}, taken down {taken_down}, stopped {stopped}; "
        f"dead letters {dead}"
    )

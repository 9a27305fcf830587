"""A comparison of policies, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from agents.decision.policy import Policy
from schemas import MICROSECONDS, Event, StreamsCounted

from ..watch import printable
from .comparison import Difference, Outcome, Totals


@dataclass(frozen=True, slots=True)
class Side:
    """A policy, and what it made of the record."""

    policy: Policy
    totals: Totals

    def to_json(self) -> dict[str, Any]:
        """Its fields, and the policy's digest."""
        policy = {"policy": self.policy.label, "policy_digest": self.policy.digest}
        return {**policy, **asdict(self.totals)}


def to_json(
    detections: int, against: Side, new: Side, differences: Iterable[Difference]
) -> Mapping[str, Any]:
    """All of it, in an order that follows from the record alone."""
    return {
        "detections": detections,
        "against": against.to_json(),
        "new": new.to_json(),
        "differences": [asdict(difference) for difference in differences],
    }


def to_lines(
    detections: int, against: Side, new: Side, differences: Iterable[Difference]
) -> list[str]:
    """Lines for people: the differences stream by stream, and the change."""
    lines = [_difference(each) for each in differences]
    told = f"{len(lines)} streams differ" if lines else "no stream differs"
    before, after = against.totals, new.totals
    return [
        *lines,
        f"{detections} detections; {told}",
        f"policy             {against.policy.label} -> {new.policy.label}",
        f"escalations        {_change(before.escalations, after.escalations)}",
        f"takedowns          {_change(before.takedowns, after.takedowns)}",
        f"sampling boosts    {_change(before.boosts, after.boosts)}",
        "first hit to escalation, median  "
        + _times(before.seconds_to_escalation, after.seconds_to_escalation),
        "first hit to takedown, median    "
        + _times(before.seconds_to_takedown, after.seconds_to_takedown),
    ]


def decision_log(effects: Iterable[Event]) -> bytes:
    """The decisions as JSON lines, each field in its order: the same decisions, the same bytes.

    How streams are counted is no decision and is left out.
    """
    lines = [
        msgspec.json.encode({"type": type(effect).__name__, **msgspec.to_builtins(effect)})
        for effect in effects
        if not isinstance(effect, StreamsCounted)
    ]
    return b"".join(line + b"\n" for line in lines)


def _difference(difference: Difference) -> str:
    place = f"{difference.stream_id} {difference.session_id}"
    against, new = _outcome(difference.against), _outcome(difference.new)
    return printable(f"{place}: {against} -> {new}")


def _outcome(outcome: Outcome) -> str:
    at = outcome.taken_down_at or outcome.escalated_at
    if at is None:
        return outcome.word
    return f"{outcome.word} at {at / MICROSECONDS:.3f} ({outcome.rule})"


def _change(before: int, after: int) -> str:
    return f"{before} -> {after} ({after - before:+d})"


def _times(before: float | None, after: float | None) -> str:
    return " -> ".join("none" if it is None else f"{it:.1f} s" for it in (before, after))

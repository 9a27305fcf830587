"""Policies and bundles that a worker took into use, by its reports one after the other. Pure.

What a worker is started with is no change of it: it shows in what is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas import PartInForce, WorkerReported, derive_id

from .audit_entries import Entry, Kind

_DIGITS = 12
"""Of a digest: as many as people compare."""


def changes(before: WorkerReported | None, after: WorkerReported, at: int) -> Iterator[Entry]:
    """What another policy or bundle took the place of, or began and ended beside.

    ``at`` is when Kafka had ``after``; without a report ``before`` it nothing is known to have.
    """
    if before is None:
        return
    was, now = _parts(before.in_force), _parts(after.in_force)
    began_with = {kind for kind, _ in was}
    for kind, part in dict.fromkeys((*was, *now)):
        old, new = was.get((kind, part)), now.get((kind, part))
        if _same(old, new) or kind not in began_with:
            continue
        yield Entry(
            at=at,
            id=derive_id("change", after.report_id, kind, part),
            kind=Kind.CHANGE,
            who=after.worker_id,
            what=f"{kind} changed",
            stream_id="",
            handle="",
            scope="",
            incident_id="",
            why="",
            outcome=f"{part}: from {_told(old)} to {_told(new)}",
        )


def _parts(in_force: Iterable[PartInForce]) -> dict[tuple[str, str], PartInForce]:
    return {(it.kind, it.part): it for it in in_force}


def _same(old: PartInForce | None, new: PartInForce | None) -> bool:
    """What a bundle runs on may change without it."""
    if old is None or new is None:
        return old is new
    return (old.label, old.digest, old.share) == (new.label, new.digest, new.share)


def _told(it: PartInForce | None) -> str:
    if it is None:
        return "none"
    label = it.label or "one that could not be loaded"
    share = "" if it.share in (0.0, 1.0) else f", {it.share * 100:g}% of streams"
    return f"{label} (digest {it.digest[:_DIGITS] or 'not known'}{share})"

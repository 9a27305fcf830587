"""Which bundles and policies the workers work with, and where they are not of one mind. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .workers import WorkerNow

_PARTS = ("live", "canary", "shadow")


@dataclass(frozen=True, slots=True)
class InForce:
    """One bundle, or policy, in one part, on all workers that have it so."""

    kind: str
    """``bundle`` or ``policy``."""
    part: str
    """``live``, ``canary`` or ``shadow``."""
    label: str
    """Empty where it could not be loaded."""
    digest: str
    share: float
    providers: tuple[str, ...]
    """What a bundle runs on."""
    workers: int


def in_force(kind: str, workers: Iterable[WorkerNow]) -> list[InForce]:
    """Those of ``kind`` on workers that are heard of: the live ones first, the commonest first."""
    found: dict[tuple[str, str, str, float], list[str]] = {}
    for worker in workers:
        for it in () if worker.silent else worker.report.in_force:
            if it.kind == kind:
                found.setdefault((it.part, it.label, it.digest, it.share), []).append(it.provider)
    told = [
        InForce(kind, part, label, digest, share, tuple(sorted(set(them) - {""})), len(them))
        for (part, label, digest, share), them in found.items()
    ]
    return sorted(told, key=lambda it: (_rank(it.part), -it.workers, it.label, it.digest))


def at_odds(told: Iterable[InForce]) -> list[str]:
    """The parts that workers have differently: for a moment while files are changed, or because a
    worker has another file."""
    parts = [it.part for it in told]
    return [part for part in dict.fromkeys(parts) if parts.count(part) > 1]


def _rank(part: str) -> tuple[int, str]:
    return _PARTS.index(part) if part in _PARTS else len(_PARTS), part

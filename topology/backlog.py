"""What waits in a worker's partitions, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from faust.types import TP


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a worker is not done with in one partition."""

    waiting: int = 0
    """Records, as far as the brokers told it."""
    oldest: int | None = None
    """When the brokers got the oldest of them, in milliseconds since the epoch; ``None`` where the
    worker has none of them yet, or they bear no time."""


def backlogs_of(
    unfetched: Mapping[TP, int], in_work: Iterable[tuple[TP, int, int]]
) -> dict[TP, Backlog]:
    """What lies with the brokers, by partition, together with the runs that are in work: of each
    where it lies, how many records it has, and the time of the first."""
    waiting, oldest = dict(unfetched), dict[TP, int]()
    for tp, count, at in in_work:
        waiting[tp] = waiting.get(tp, 0) + count
        if at >= 0:
            oldest[tp] = min(oldest.get(tp, at), at)
    return {tp: Backlog(count, oldest.get(tp)) for tp, count in waiting.items()}


class Lags:
    """How old the oldest record is that is not done with, by partition.

    Of what a worker has, the brokers' time says so. Of what it has not fetched yet it knows no
    time: such a record is at least as old as it has been seen to wait.
    """

    def __init__(self) -> None:
        self._waiting_since: dict[TP, int] = {}

    def observe(self, now: int, backlogs: Mapping[TP, Backlog]) -> dict[TP, float]:
        """Seconds, at ``now`` in milliseconds since the epoch; 0 where nothing waits."""
        self._waiting_since = {
            tp: self._waiting_since.get(tp, now)
            for tp, backlog in backlogs.items()
            if backlog.waiting and backlog.oldest is None
        }
        return {tp: self._lag(now, tp, backlog) for tp, backlog in backlogs.items()}

    def _lag(self, now: int, tp: TP, backlog: Backlog) -> float:
        since = self._waiting_since.get(tp) if backlog.oldest is None else backlog.oldest
        # The brokers' clock may be ahead of this machine's.
        return 0.0 if since is None else max(now - since, 0) / 1000

"""Turns among streams: what waits is taken one of each key at a time. Pure.

Round robin over keys that have something waiting (the rule that Nagle proposed for packet
switches in RFC 970, 1985): a key that sends much waits behind its own, and not others behind it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Waiting items by key: in order within a key, by turns among keys.

    Turns go on from one ``take`` to the next: between two items of one key, every other key that
    was waiting meanwhile has had its turn. A key that begins to wait joins at the end.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, key: bytes, item: T) -> None:
        self._waiting.setdefault(key, deque()).append(item)
        self._count += 1

    def take(self, most: int) -> list[T]:
        """Up to ``most`` items, all there are if they are fewer."""
        taken: list[T] = []
        while self._waiting and len(taken) < most:
            key, items = self._waiting.popitem(last=False)
            taken.append(items.popleft())
            if items:
                self._waiting[key] = items
        self._count -= len(taken)
        return taken

    def heads(self) -> Iterator[T]:
        """The next item of each key."""
        return (items[0] for items in self._waiting.values())


class Lanes(Generic[T]):
    """Fair queues side by side: items are taken from one lane as long as it has any, then from the
    next, and a lane that was taken from goes to the end.

    What is taken together is of few lanes, which is what records that go back to their lanes want,
    and no lane waits longer than one ``take`` of each of the others.
    """

    def __init__(self) -> None:
        self._lanes: OrderedDict[int, FairQueue[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, lane: int, key: bytes, item: T) -> None:
        queue = self._lanes.get(lane)
        if queue is None:
            queue = self._lanes[lane] = FairQueue()
        queue.put(key, item)
        self._count += 1

    def take(self, most: int) -> list[T]:
        """Up to ``most`` items, all there are if they are fewer."""
        taken: list[T] = []
        while self._lanes and len(taken) < most:
            lane, queue = self._lanes.popitem(last=False)
            taken += queue.take(most - len(taken))
            if queue:
                self._lanes[lane] = queue
        self._count -= len(taken)
        return taken

    def heads(self) -> Iterator[T]:
        """The next item of each key of each lane."""
        return (item for queue in self._lanes.values() for item in queue.heads())

"""Taking turns: nothing is lost or doubled, order within a key stays, and nobody crowds out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agents.fairness import FairQueue

KEYS = [b"a", b"b", b"c", b"d"]
Put = bytes
Take = int
operations = st.lists(st.sampled_from(KEYS) | st.integers(1, 6), max_size=80)
"""A key is put, a number is taken."""

Item = tuple[bytes, int]


def run(done: list[Put | Take]) -> tuple[list[Item], list[list[Item]], FairQueue[Item]]:
    """Items put, items taken by each ``take``, and the queue as it is left."""
    queue: FairQueue[Item] = FairQueue()
    put: list[Item] = []
    taken: list[list[Item]] = []
    for operation in done:
        if isinstance(operation, int):
            taken.append(queue.take(operation))
        else:
            item = (operation, len(put))
            put.append(item)
            queue.put(operation, item)
    return put, taken, queue


@given(operations)
def test_what_is_put_is_taken_once_or_still_waits(done: list[Put | Take]) -> None:
    put, taken, queue = run(done)
    left = len(queue)
    out = [item for batch in taken for item in batch]
    rest = queue.take(len(put) + 1)
    assert len(rest) == left
    assert len(queue) == 0
    assert Counter(out + rest) == Counter(put)


@given(operations)
def test_items_of_one_key_are_taken_in_the_order_they_came(done: list[Put | Take]) -> None:
    put, taken, queue = run(done)
    out = [item for batch in taken for item in batch] + queue.take(len(put))
    for key in KEYS:
        assert [item for item in out if item[0] == key] == [item for item in put if item[0] == key]


@given(operations)
def test_no_key_has_two_turns_while_another_that_waits_has_none(done: list[Put | Take]) -> None:
    """Whoever still waits after a ``take`` got at most one item less than anybody else, and less
    only where it joined the line after the other."""
    queue: FairQueue[bytes] = FairQueue()
    waiting: Counter[bytes] = Counter()
    for operation in done:
        if not isinstance(operation, int):
            queue.put(operation, operation)
            waiting[operation] += 1
            continue
        got = Counter(queue.take(operation))
        assert got.total() == min(operation, waiting.total())
        waiting -= got
        for left in waiting:
            assert max(got.values()) <= got[left] + 1


@given(st.lists(st.sampled_from(KEYS), min_size=1), st.integers(1, 3))
def test_turns_go_on_from_one_take_to_the_next(keys: list[bytes], size: int) -> None:
    """Taken in small batches or at once, the order is the same."""
    whole: FairQueue[Item] = FairQueue()
    parts: FairQueue[Item] = FairQueue()
    for number, key in enumerate(keys):
        whole.put(key, (key, number))
        parts.put(key, (key, number))
    batches = []
    while len(parts):
        batches += parts.take(size)
    assert batches == whole.take(len(keys))


def test_a_noisy_key_has_one_place_of_a_batch_where_three_others_wait() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(100):
        queue.put(b"noisy", f"noisy {number}")
    for key in (b"a", b"b", b"c"):
        queue.put(key, key.decode())
    assert queue.take(4) == ["noisy 0", "a", "b", "c"]
    assert queue.take(2) == ["noisy 1", "noisy 2"]


def test_heads_are_what_each_key_gives_next() -> None:
    queue: FairQueue[int] = FairQueue()
    for key, item in ((b"a", 1), (b"a", 2), (b"b", 3)):
        queue.put(key, item)
    assert list(queue.heads()) == [1, 3]

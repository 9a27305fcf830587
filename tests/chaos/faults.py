"""The faults, each a function that does it once and returns when it is over.

``over`` is the moment from which work could go on: the process is dead and another one is being
started, the link is up again, the broker is back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka.admin import AdminClient

from schemas import topics
from tests.waiting import wait_until
from topology.app import Role
from topology.worker import UNFIT_EXIT_CODE

from .crew import Member, forget_folder
from .ground import Ground
from .reading import answered
from .surroundings import Clock, Disk, Link, Surroundings

S = TypeVar("S", Clock, Disk, Link)

Over = float
"""Seconds since the epoch."""
Fault = Callable[[Ground], Over]

FROZEN_SECONDS = 60.0
HUNG_SECONDS = 40.0
CUT_SECONDS = 20.0
COMING_AND_GOING_SECONDS = 30.0
_EVERY_SECONDS = 2.0
_FEWEST, _MOST = 2, 5
_FULL_SECONDS = 5.0
_JUMPED_SECONDS = 4.0
_CLEAN = 0
_NONE = -1
_METADATA_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_DURING_REBALANCE = 0.5
"""Seconds after a worker has begun to leave: the group is forming then."""


def kill_worker(ground: Ground) -> Over:
    """SIGKILL of one worker; another one is started."""
    return _kill(ground, _some(ground, 1))


def kill_two_of_three(ground: Ground) -> Over:
    """SIGKILL of two workers of a role at the same moment."""
    return _kill(ground, _some(ground, 2))


def rolling_restart(ground: Ground) -> Over:
    """Every worker is told to stop, and replaced: one of each role, then the next."""
    for members in zip(*map(ground.crew.of, Role), strict=True):
        for member in members:
            _stop(ground, member)
            ground.crew.start(member.role)
        ground.crew.await_ready()
    return time.time()


def sigterm_in_work(ground: Ground) -> Over:
    """One worker is told to stop in the midst of work: it leaves in time, and cleanly."""
    (member,) = _some(ground, 1)
    _stop(ground, member)
    ground.crew.start(member.role)
    return time.time()


def kill_leader(ground: Ground) -> Over:
    """SIGKILL of the broker that leads a partition of the frames; it comes back."""
    broker = _leader(ground)
    ground.kafka.kill(broker)
    return _replace(ground, broker)


def kill_broker_during_rebalance(ground: Ground) -> Over:
    """A worker goes, and with it the broker that leads a partition, while the group forms anew."""
    with _one_leaving(ground):
        broker = _leader(ground)
        ground.kafka.kill(broker)
    return _replace(ground, broker)


def hang_brokers(ground: Ground, seconds: float = HUNG_SECONDS) -> Over:
    """SIGSTOP of all brokers, while the group forms anew, for longer than Faust waits for them."""
    brokers = list(ground.kafka.pids)
    with _one_leaving(ground):
        for broker in brokers:
            ground.kafka.pause(broker)
    time.sleep(seconds)
    for broker in brokers:
        ground.kafka.resume(broker)
    return time.time()


def freeze(ground: Ground, seconds: float = FROZEN_SECONDS) -> Over:
    """SIGSTOP of one worker for longer than its session; then it goes on, knowing nothing of it."""
    (member,) = _some(ground, 1)
    member.freeze()
    time.sleep(seconds)
    member.thaw()
    return time.time()


def lose_state(ground: Ground) -> Over:
    """All that a worker keeps on disk is gone, and then so is the worker."""
    (member,) = _some(ground, 1)
    forget_folder(member)
    return _kill(ground, [member])


def cut_link(ground: Ground) -> Over:
    """A worker of each role is cut off from the brokers, for longer than its session lasts."""
    link = _surroundings(ground, Link)
    link.cut()
    time.sleep(CUT_SECONDS)
    link.mend()
    return time.time()


def fill_disk(ground: Ground) -> Over:
    """The disk is full under what a worker of each role keeps, and then they are killed."""
    disk = _surroundings(ground, Disk)
    disk.fill()
    time.sleep(_FULL_SECONDS)
    members = [member for member in ground.crew.members if member.place.environment]
    for member in members:
        ground.crew.kill(member)
    over = time.time()
    for member in members:
        ground.crew.start(member.role, member.place)
    ground.crew.await_ready()
    disk.make_room()
    return over


def jump_clock(ground: Ground) -> Over:
    """The clock of a worker of each role is an hour ahead for a while, and then two hours back."""
    clock = _surroundings(ground, Clock)
    for ahead in (3600, -3600, 0):
        clock.jump(ahead)
        time.sleep(_JUMPED_SECONDS)
    return time.time()


def come_and_go(ground: Ground, seconds: float = COMING_AND_GOING_SECONDS) -> Over:
    """For half a minute a worker joins or leaves every few seconds, before the last is settled."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        role = ground.chance.choice(list(Role))
        members = ground.crew.of(role)
        if len(members) <= _FEWEST or (len(members) < _MOST and ground.chance.random() < 1 / 2):
            ground.crew.start(role)
        elif ready := [member for member in members if member.ready()]:
            _stop(ground, ground.chance.choice(ready))
        ground.crew.replace_ended()
        time.sleep(_EVERY_SECONDS)
    return time.time()


FAULTS: dict[str, Fault] = {
    "come-and-go": come_and_go,
    "kill-worker": kill_worker,
    "kill-two-of-three": kill_two_of_three,
    "rolling-restart": rolling_restart,
    "sigterm-in-work": sigterm_in_work,
    "kill-leader": kill_leader,
    "kill-broker-during-rebalance": kill_broker_during_rebalance,
    "hang-brokers": hang_brokers,
    "freeze": freeze,
    "lose-state": lose_state,
    "cut-link": cut_link,
    "full-disk": fill_disk,
    "clock-jump": jump_clock,
}
RESTLESS = frozenset({"come-and-go"})
"""Done again before all has settled."""
LEFT_WITH = dict.fromkeys(
    ("kill-broker-during-rebalance", "hang-brokers"), frozenset({UNFIT_EXIT_CODE})
)
"""The exit codes besides 0 that a worker may leave with. In these faults brokers acknowledge
nothing for about as long as it may take, or longer: it ends itself, and what it did is done again.
"""
EXCLUSIVE = RESTLESS
"""Of these it is a promise that each partition is one worker's alone."""
SURROUNDINGS: dict[str, Callable[[Path], Surroundings]] = {
    "cut-link": lambda _: Link.make(),
    "full-disk": lambda folder: Disk.make(folder / "disk"),
    "clock-jump": Clock.make,
}
"""What has to be there for a fault to be done; making it raises ``NotHere``."""


def _surroundings(ground: Ground, kind: type[S]) -> S:
    if not isinstance(ground.surroundings, kind):
        raise TypeError(f"this fault is done to a {kind.__name__}")
    return ground.surroundings


def _some(ground: Ground, count: int) -> list[Member]:
    """So many workers of one role."""
    role = ground.chance.choice(list(Role))
    return ground.chance.sample(ground.crew.of(role), count)


def _kill(ground: Ground, members: list[Member]) -> Over:
    for member in members:
        ground.crew.kill(member)
    for member in members:
        ground.crew.start(member.role, member.place)
    return time.time()


def _replace(ground: Ground, broker: int) -> Over:
    """Start a broker again that was killed, once the others have taken its partitions over: when
    its session has run out."""
    wait_until(lambda: _leader(ground) not in (broker, _NONE), 60, every=_LOOK_SECONDS)
    over = time.time()
    ground.kafka.start_broker(broker)
    _await_in_sync(ground)
    return over


def _stop(ground: Ground, member: Member) -> None:
    code, seconds = ground.crew.stop(member)
    ground.left_after.append(seconds)
    if code != _CLEAN:
        ground.left_with.append(code)


@contextmanager
def _one_leaving(ground: Ground) -> Iterator[None]:
    """A worker has begun to leave, and the group forms anew; at the end it has left, and another
    one is started."""
    (member,) = _some(ground, 1)
    member.tell_to_stop()
    time.sleep(_DURING_REBALANCE)
    yield
    _stop(ground, member)
    ground.crew.start(member.role)


def _leader(ground: Ground) -> int:
    """Which broker leads the first partition of the frames, or ``_NONE``."""
    partition: Any = _metadata(ground).topics[topics.FRAME_SAMPLES].partitions[0]
    return int(partition.leader)


def _await_in_sync(ground: Ground) -> None:
    """Wait until every replica has all records: the next fault would otherwise be two at once."""

    def in_sync() -> bool:
        return all(
            len(partition.isrs) == len(partition.replicas)
            for topic in _metadata(ground).topics.values()
            for partition in topic.partitions.values()
        )

    wait_until(in_sync, 120, every=_LOOK_SECONDS)


def _metadata(ground: Ground) -> Any:
    client = AdminClient({"bootstrap.servers": ground.kafka.bootstrap, "log_level": 0})
    return answered(partial(client.list_topics, timeout=_METADATA_SECONDS))

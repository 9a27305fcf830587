"""Brings the brokers' topics to the plan."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from .errors import OperatorError
from .kafka_config import librdkafka_config
from .settings import Settings
from .topic_plan import (
    Change,
    CreateTopic,
    Difference,
    GrowPartitions,
    PlanInvalid,
    SetConfig,
    Topic,
    compare,
    parse_plan,
)

TOPICS_FILE = Path(__file__).parent.parent / "deploy/topics.yaml"

_CONNECT_SECONDS = 10.0
_REQUEST_SECONDS = 30.0
_SETTLE_SECONDS = 10.0
_SETTLE_POLL_SECONDS = 0.2
_AWAY = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)
"""What brokers that are away, or still starting, come to; a wrong password is none of it."""


class TopicsUnreadable(OperatorError):
    """The brokers can't be reached, or don't say what topics they have."""


class BrokersAway(TopicsUnreadable):
    """No broker answers, and nothing says that one that did would refuse: they may come."""


class TopicsNotApplied(OperatorError):
    """The brokers' topics are not as planned: what is left is in the message."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of changes."""

    done: tuple[Change, ...]
    failed: tuple[tuple[Change, str], ...]
    """With what the brokers said."""
    unconfirmed: Difference
    """The brokers took these and, some seconds later, still don't report them."""

    @property
    def problems(self) -> list[str]:
        """One line each."""
        unconfirmed = (*self.unconfirmed.changes, *self.unconfirmed.refused)
        return [f"{change}: failed: {reason}" for change, reason in self.failed] + [
            f"{item}: done, but the brokers don't report it" for item in unconfirmed
        ]


def load_plan(path: Path = TOPICS_FILE) -> tuple[Topic, ...]:
    """The plan in the file at ``path``. Raises ``PlanInvalid``, which names the file."""
    try:
        return parse_plan(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, PlanInvalid) as error:
        raise PlanInvalid(f"{path}: {error}") from error


def open_admin(
    settings: Settings, bootstrap: str, wait_seconds: float = _CONNECT_SECONDS
) -> AdminClient:
    """A client that has reached the brokers. Raises ``TopicsUnreadable``, which says why not."""
    return _reach(settings, bootstrap, wait_seconds)[0]


def find_topics(settings: Settings, bootstrap: str, wait_seconds: float) -> ClusterMetadata:
    """The brokers and all their topics: asked for by name, some brokers would make the topic.

    Raises ``TopicsUnreadable``.
    """
    return _reach(settings, bootstrap, wait_seconds)[1]


def _reach(
    settings: Settings, bootstrap: str, wait_seconds: float
) -> tuple[AdminClient, ClusterMetadata]:
    errors: list[KafkaError] = []
    config = librdkafka_config(settings, bootstrap)
    config |= {"error_cb": errors.append}
    admin = AdminClient(config)
    try:
        return admin, admin.list_topics(timeout=wait_seconds)
    except KafkaException as error:
        admin.poll(0)  # has the callback called
        reasons = [*errors, error.args[0]]
        refused = [reason for reason in reasons if reason.code() not in _AWAY]
        kind = TopicsUnreadable if refused else BrokersAway
        raise kind(f"{bootstrap}: {(refused or reasons)[0].str()}") from error


def apply_topics(settings: Settings, bootstrap: str, *, partitions: int | None = None) -> None:
    """Bring the brokers at ``bootstrap`` to the shipped plan, without growing topics.

    ``partitions`` replaces the plan's number of them.

    Raises ``TopicsUnreadable`` and ``TopicsNotApplied``.
    """
    admin = open_admin(settings, bootstrap)
    plan = load_plan()
    if partitions is not None:
        plan = tuple(replace(topic, partitions=partitions) for topic in plan)
    difference = compare(plan, read_topics(admin, plan))
    problems = [str(refused) for refused in difference.refused]
    if not problems:
        problems = apply_changes(admin, plan, difference.changes).problems
    if problems:
        raise TopicsNotApplied("\n".join(problems))


def read_topics(admin: AdminClient, plan: Iterable[Topic]) -> dict[str, Topic]:
    """The topics of ``plan`` that exist, as they are. Raises ``TopicsUnreadable``."""
    try:
        # All topics: to ask for one by name creates it on brokers that create topics on demand.
        metadata = admin.list_topics(timeout=_REQUEST_SECONDS).topics
        names = [topic.name for topic in plan if topic.name in metadata]
        configs = _read_configs(admin, names)
    except KafkaException as error:
        raise TopicsUnreadable(f"the brokers don't tell their topics: {error}") from error
    return {
        name: Topic(
            name,
            partitions=len(metadata[name].partitions),
            replication_factor=min(
                (len(partition.replicas) for partition in metadata[name].partitions.values()),
                default=0,
            ),
            config=configs[name],
        )
        for name in names
        if name in configs
    }


def apply_changes(
    admin: AdminClient, plan: tuple[Topic, ...], changes: tuple[Change, ...]
) -> Applied:
    """Make the ``changes``, then wait until the brokers report the plan, for ten seconds at most.

    Raises ``TopicsUnreadable``.
    """
    done: list[Change] = []
    failed: list[tuple[Change, str]] = []
    for change in changes:
        try:
            _apply(admin, change)
        except KafkaException as error:
            failed.append((change, error.args[0].str()))
        else:
            done.append(change)
    touched = {_name(change) for change in done} - {_name(change) for change, _ in failed}
    expected = tuple(topic for topic in plan if topic.name in touched)
    return Applied(tuple(done), tuple(failed), _settle(admin, expected))


def _settle(admin: AdminClient, expected: tuple[Topic, ...]) -> Difference:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        difference = compare(expected, read_topics(admin, expected), grow=True)
        if not difference or time.monotonic() >= deadline:
            return difference
        time.sleep(_SETTLE_POLL_SECONDS)


def _apply(admin: AdminClient, change: Change) -> None:
    timeout = {"request_timeout": _REQUEST_SECONDS}
    match change:
        case CreateTopic(topic):
            new = NewTopic(
                topic.name, topic.partitions, topic.replication_factor, config=dict(topic.config)
            )
            try:
                _await(admin.create_topics([new], **timeout))
            except KafkaException as error:
                # Made already, though the broker that was asked did not know: how, is looked at.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        case GrowPartitions(topic=name, after=after):
            _await(admin.create_partitions([NewPartitions(name, after)], **timeout))
        case SetConfig(topic=name, key=key, after=value):
            entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
            _await(admin.incremental_alter_configs([resource], **timeout))


def _await(futures: Mapping[Any, Future[Any]]) -> None:
    for future in futures.values():
        future.result()


def _name(change: Change) -> str:
    return change.topic.name if isinstance(change, CreateTopic) else change.topic


def _read_configs(admin: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = admin.describe_configs(resources, request_timeout=_REQUEST_SECONDS)
    configs = {}
    for resource, answer in answers.items():
        try:
            entries = answer.result()
        except KafkaException as error:
            # A broker that has not heard yet of what another one has made.
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                continue
            raise
        configs[resource.name] = {
            key: entry.value for key, entry in entries.items() if entry.value is not None
        }
    return configs

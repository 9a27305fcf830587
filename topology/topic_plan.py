"""The topics as they should be, and what it takes to get there. Pure.

A plan names every topic of ``schemas.topics`` and no other. All have the same number of
partitions: a stream is in the partition of the same number in each, and joins rest on it. What a
plan does not name of a topic's configuration is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml

from schemas import topics

from .errors import OperatorError

BROKERS_DEFAULT = -1
"""As a replication factor: what the brokers are set to."""

_TOPIC_KEYS = frozenset({"partitions", "replication_factor", "config"})

# Kafka 4's topic configuration. Some brokers take any key without a word.
_CONFIG_KEYS = frozenset(
    {
        "cleanup.policy",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "delete.retention.ms",
        "file.delete.delay.ms",
        "flush.messages",
        "flush.ms",
        "follower.replication.throttled.replicas",
        "index.interval.bytes",
        "leader.replication.throttled.replicas",
        "local.retention.bytes",
        "local.retention.ms",
        "max.compaction.lag.ms",
        "max.message.bytes",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.type",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "min.insync.replicas",
        "preallocate",
        "remote.log.copy.disable",
        "remote.log.delete.on.disable",
        "remote.storage.enable",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.index.bytes",
        "segment.jitter.ms",
        "segment.ms",
        "unclean.leader.election.enable",
    }
)


class PlanInvalid(OperatorError):
    """The topics file is wrong; the message names the topic and the key."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as planned, or as the brokers have it: then ``config`` is what they report."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CreateTopic:
    topic: Topic

    def __str__(self) -> str:
        config = ", ".join(f"{key}={value}" for key, value in self.topic.config.items())
        return f"{self.topic.name}: create with {self.topic.partitions} partitions, {config}"


@dataclass(frozen=True, slots=True)
class GrowPartitions:
    topic: str
    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.topic}: partitions {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class SetConfig:
    topic: str
    key: str
    before: str | None
    """``None`` where the brokers report no value."""
    after: str

    def __str__(self) -> str:
        before = "not reported" if self.before is None else self.before
        return f"{self.topic}: {self.key} {before} -> {self.after}"


Change = CreateTopic | GrowPartitions | SetConfig


class Refusal(StrEnum):
    """Why a difference is not done away with."""

    SHRINKING = "Kafka takes no partitions away; make a new topic instead"
    GROWTH_NOT_ASKED_FOR = (
        "more partitions move streams to other partitions, away from their windows; "
        "stop the workers and say --grow"
    )
    REPLICATION = "replicas are moved with Kafka's kafka-reassign-partitions"


@dataclass(frozen=True, slots=True)
class Refused:
    topic: str
    difference: str
    refusal: Refusal

    def __str__(self) -> str:
        return f"{self.topic}: {self.difference} refused: {self.refusal}"


@dataclass(frozen=True, slots=True)
class Difference:
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.refused)


def parse_plan(text: str) -> tuple[Topic, ...]:
    """The plan in a topics file. Raises ``PlanInvalid``."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlanInvalid(f"no YAML: {error}") from error
    _expect_keys("the file", document, frozenset({"defaults", "topics"}))
    defaults = _section("defaults", document.get("defaults"))
    named = document.get("topics")
    _expect_keys("topics", named, topics.ALL)
    plan = tuple(_topic(name, defaults, _section(name, given)) for name, given in named.items())
    if missing := sorted(topics.ALL - named.keys()):
        raise PlanInvalid(f"{', '.join(missing)}: missing")
    for topic in plan:
        if topic.partitions != plan[0].partitions:
            raise PlanInvalid(
                f"{topic.name}: partitions: {topic.partitions}, but {plan[0].name} has "
                f"{plan[0].partitions}; all topics have the same number"
            )
    return plan


def compare(
    plan: tuple[Topic, ...], actual: Mapping[str, Topic], *, grow: bool = False
) -> Difference:
    """What to change in ``actual`` (topics by name), and what is refused."""
    found = [item for topic in plan for item in _compare(topic, actual.get(topic.name), grow)]
    return Difference(
        changes=tuple(item for item in found if not isinstance(item, Refused)),
        refused=tuple(item for item in found if isinstance(item, Refused)),
    )


def _compare(planned: Topic, actual: Topic | None, grow: bool) -> Iterator[Change | Refused]:
    if actual is None:
        yield CreateTopic(planned)
        return
    name, before, after = planned.name, actual.partitions, planned.partitions
    if after < before:
        yield Refused(name, f"partitions {before} -> {after}", Refusal.SHRINKING)
    elif after > before and not grow:
        yield Refused(name, f"partitions {before} -> {after}", Refusal.GROWTH_NOT_ASKED_FOR)
    elif after > before:
        yield GrowPartitions(name, before, after)
    replicas, wanted = actual.replication_factor, planned.replication_factor
    if wanted not in (BROKERS_DEFAULT, replicas):
        yield Refused(name, f"replication factor {replicas} -> {wanted}", Refusal.REPLICATION)
    for key, value in planned.config.items():
        if actual.config.get(key) != value:
            yield SetConfig(name, key, actual.config.get(key), value)


def _section(where: str, given: Any) -> dict[str, Any]:
    """A ``defaults`` or topic section; an empty one may be left blank."""
    section = {} if given is None else given
    _expect_keys(where, section, _TOPIC_KEYS)
    config = section.get("config", {})
    _expect_keys(f"{where}: config", config, _CONFIG_KEYS)
    return {**section, "config": {key: _value(where, key, config[key]) for key in config}}


def _topic(name: str, defaults: dict[str, Any], given: dict[str, Any]) -> Topic:
    merged = {"replication_factor": BROKERS_DEFAULT, **defaults, **given}
    partitions, replicas = merged.get("partitions"), merged["replication_factor"]
    if type(partitions) is not int or partitions < 1:
        raise PlanInvalid(f"{name}: partitions: {partitions!r} is no positive number")
    if type(replicas) is not int or (replicas < 1 and replicas != BROKERS_DEFAULT):
        raise PlanInvalid(f"{name}: replication_factor: {replicas!r} is no positive number, nor -1")
    return Topic(name, partitions, replicas, {**defaults["config"], **given["config"]})


def _value(where: str, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise PlanInvalid(f"{where}: config: {key}: {value!r} is no text or number")


def _expect_keys(where: str, given: Any, known: frozenset[str]) -> None:
    if not isinstance(given, dict):
        raise PlanInvalid(f"{where}: should hold keys and values")
    for key in given:
        if key not in known:
            raise PlanInvalid(f"{where}: {key}: unknown")

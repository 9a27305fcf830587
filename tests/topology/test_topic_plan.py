"""A topics file is checked as a whole, and compared with what the brokers have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from agents.oncall.audit import GOES_BACK
from agents.oncall.audit_entries import AUDITED
from agents.oncall.feed import FOLLOWED
from schemas import topics
from topology.kafka_config import largest_record
from topology.settings import Settings
from topology.topic_admin import load_plan
from topology.topic_plan import (
    CreateTopic,
    Difference,
    GrowPartitions,
    PlanInvalid,
    Refusal,
    Refused,
    SetConfig,
    Topic,
    compare,
    parse_plan,
)

RISK = topics.RISK
HOUR_MS = 3_600_000


def plan_text(defaults: dict[str, Any] | None = None, **of_risk: Any) -> str:
    """A whole plan in which the risk topic is given ``of_risk``."""
    named: dict[str, Any] = dict.fromkeys(sorted(topics.ALL))
    named[RISK] = of_risk or None
    document = {"defaults": {"partitions": 8} if defaults is None else defaults, "topics": named}
    return yaml.safe_dump(document)


def risk(partitions: int = 8, replicas: int = -1, **config: str) -> Topic:
    return Topic(RISK, partitions, replicas, {key.replace("_", "."): config[key] for key in config})


def test_shipped_plan_has_every_topic_with_eight_partitions_for_one_broker_or_many() -> None:
    plan = load_plan()
    assert {topic.name for topic in plan} == topics.ALL
    assert {(topic.partitions, topic.replication_factor) for topic in plan} == {(8, -1)}


def test_shipped_plan_takes_what_clients_send_and_keeps_frames_for_hours() -> None:
    config = {topic.name: topic.config for topic in load_plan()}
    sizes = {int(each["max.message.bytes"]) for each in config.values()}
    assert sizes == {largest_record(Settings())}
    assert int(config[topics.FRAME_SAMPLES]["retention.ms"]) == 6 * HOUR_MS
    assert int(config[topics.RISK]["retention.ms"]) == 7 * 24 * HOUR_MS
    assert int(config[topics.TAKEDOWNS]["retention.ms"]) == 365 * 24 * HOUR_MS


def test_the_audit_is_kept_for_a_year_and_read_for_as_long_on_every_worker() -> None:
    """Each kind of deed: a page that says what it has, and where the rest is, is right."""
    days = 24 * HOUR_MS
    kept = {it.name: int(it.config["retention.ms"]) for it in load_plan()}
    for event_type in AUDITED:
        topic = topics.TOPIC_OF[event_type.__name__]
        assert kept[topic] == 365 * days
        assert FOLLOWED[topic].history == GOES_BACK == 7 * days * 1000


def test_topic_takes_what_it_does_not_name_from_the_defaults() -> None:
    defaults = {"partitions": 4, "config": {"retention.ms": 1, "preallocate": True}}
    plan = parse_plan(plan_text(defaults, config={"retention.ms": 2}))
    found = {topic.name: topic for topic in plan}
    assert found[RISK] == risk(4, retention_ms="2", preallocate="true")
    assert found[topics.TAKEDOWNS].config == {"retention.ms": "1", "preallocate": "true"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (plan_text(config={"retention.sm": 1}), f"{RISK}: config: retention.sm: unknown"),
        (plan_text(config={"retention.ms": [1]}), f"{RISK}: config: retention.ms"),
        (plan_text({"config": {"foo": 1}}), "defaults: config: foo: unknown"),
        (plan_text(retention=1), f"{RISK}: retention: unknown"),
        (plan_text(partitions=4), f"{RISK}: partitions: 4, but"),
        (plan_text(partitions=0), f"{RISK}: partitions: 0"),
        (plan_text(partitions=True), f"{RISK}: partitions: True"),
        (plan_text({}), "partitions: None"),
        (plan_text(replication_factor=0), f"{RISK}: replication_factor: 0"),
        (plan_text() + "  firebreak.risk.v2: {}\n", "topics: firebreak.risk.v2: unknown"),
        (plan_text().replace(f"  {RISK}: null\n", ""), f"{RISK}: missing"),
        ("- a list", "the file"),
        ("defaults: {", "no YAML"),
    ],
)
def test_wrong_plan_is_refused_naming_the_topic_and_the_key(text: str, names: str) -> None:
    with pytest.raises(PlanInvalid) as refused:
        parse_plan(text)
    assert names in str(refused.value)


@pytest.mark.parametrize(
    ("planned", "actual", "grow", "expected"),
    [
        pytest.param(risk(), None, False, CreateTopic(risk()), id="created"),
        pytest.param(
            risk(8),
            risk(16),
            True,
            Refused(RISK, "partitions 16 -> 8", Refusal.SHRINKING),
            id="never-shrunk",
        ),
        pytest.param(
            risk(16),
            risk(8),
            False,
            Refused(RISK, "partitions 8 -> 16", Refusal.GROWTH_NOT_ASKED_FOR),
            id="not-grown-unasked",
        ),
        pytest.param(risk(16), risk(8), True, GrowPartitions(RISK, 8, 16), id="grown-when-asked"),
        pytest.param(
            risk(replicas=3),
            risk(replicas=1),
            True,
            Refused(RISK, "replication factor 1 -> 3", Refusal.REPLICATION),
            id="replicas-not-moved",
        ),
        pytest.param(risk(replicas=-1), risk(replicas=3), False, None, id="brokers-default"),
        pytest.param(
            risk(retention_ms="2"),
            risk(retention_ms="1"),
            False,
            SetConfig(RISK, "retention.ms", "1", "2"),
            id="config-drifted",
        ),
        pytest.param(
            risk(retention_ms="2"),
            risk(),
            False,
            SetConfig(RISK, "retention.ms", None, "2"),
            id="config-not-reported",
        ),
        pytest.param(risk(), risk(retention_bytes="5"), False, None, id="unnamed-left-alone"),
    ],
)
def test_difference_is_changed_or_refused_with_its_reason(
    planned: Topic,
    actual: Topic | None,
    grow: bool,
    expected: CreateTopic | GrowPartitions | SetConfig | Refused | None,
) -> None:
    difference = compare((planned,), {} if actual is None else {RISK: actual}, grow=grow)
    if expected is None:
        assert not difference
    elif isinstance(expected, Refused):
        assert difference == Difference((), (expected,))
    else:
        assert difference == Difference((expected,), ())

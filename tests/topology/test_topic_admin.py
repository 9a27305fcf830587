"""The plan on a real broker: applied once, it is there; what changed since is seen and mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from schemas import topics
from topology import topic_admin
from topology.broker import EmbeddedBroker
from topology.cli.topics import topics as command
from topology.settings import Settings
from topology.topic_admin import (
    TopicsNotApplied,
    TopicsUnreadable,
    apply_changes,
    apply_topics,
    load_plan,
    open_admin,
    read_topics,
)
from topology.topic_plan import GrowPartitions, SetConfig, compare


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings that point at a broker without topics."""
    empty = Settings(runtime_dir=tmp_path / "runtime")
    with EmbeddedBroker(empty) as broker:
        yield empty.model_copy(update={"bootstrap_servers": broker.bootstrap})


@pytest.fixture
def admin(settings: Settings) -> AdminClient:
    assert settings.bootstrap_servers is not None
    return open_admin(settings, settings.bootstrap_servers)


def apply(settings: Settings) -> None:
    assert settings.bootstrap_servers is not None
    apply_topics(settings, settings.bootstrap_servers)


def delete_config(admin: AdminClient, topic: str, key: str) -> None:
    entry = ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result()


def invoke(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(
        command, arguments, env={"FIREBREAK_BOOTSTRAP_SERVERS": settings.bootstrap_servers}
    )


def test_second_application_of_the_plan_changes_nothing(
    settings: Settings, admin: AdminClient
) -> None:
    plan = load_plan()
    apply(settings)
    assert set(read_topics(admin, plan)) == {topic.name for topic in plan}
    assert not compare(plan, read_topics(admin, plan))
    apply(settings)


def test_reading_creates_no_topics(admin: AdminClient) -> None:
    for _ in range(2):
        assert read_topics(admin, load_plan()) == {}


def test_configuration_deleted_on_the_broker_is_seen_and_set_again(
    settings: Settings, admin: AdminClient
) -> None:
    plan = load_plan()
    apply(settings)
    delete_config(admin, topics.FRAME_SAMPLES, "retention.ms")
    difference = compare(plan, read_topics(admin, plan))
    assert difference.changes == (
        SetConfig(topics.FRAME_SAMPLES, "retention.ms", None, "21600000"),
    )
    assert apply_changes(admin, plan, difference.changes).problems == []
    assert not compare(plan, read_topics(admin, plan))


def test_what_the_broker_can_not_do_is_told(settings: Settings, admin: AdminClient) -> None:
    apply(settings)
    larger = tuple(replace(topic, partitions=16) for topic in load_plan())
    (grow, *_) = compare(larger, read_topics(admin, larger), grow=True).changes
    assert grow == GrowPartitions(larger[0].name, 8, 16)
    applied = apply_changes(admin, larger, (grow,))
    assert applied.done == ()
    (problem,) = applied.problems
    assert "failed: CreatePartitions" in problem


def test_topics_with_other_partitions_stop_an_application_on_start_up(
    settings: Settings, admin: AdminClient
) -> None:
    other = tuple(replace(topic, partitions=4) for topic in load_plan())
    apply_changes(admin, other, compare(other, {}).changes)
    with pytest.raises(TopicsNotApplied, match="say --grow"):
        apply(settings)


def test_command_shows_applies_and_checks(settings: Settings) -> None:
    shown = invoke(settings, "apply", "--dry-run")
    assert shown.exit_code == 0
    assert "firebreak.risk.v1: create with 8 partitions" in shown.output
    assert invoke(settings, "check").exit_code == 1
    assert invoke(settings, "apply").exit_code == 0
    checked = invoke(settings, "check")
    assert (checked.exit_code, checked.output) == (0, "all topics are as planned\n")


def test_command_changes_nothing_and_fails_where_anything_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    assert invoke(settings, "apply").exit_code == 0
    smaller = tmp_path / "topics.yaml"
    text = topic_admin.TOPICS_FILE.read_text()
    smaller.write_text(
        text.replace("partitions: 8", "partitions: 4").replace("604800000", "704800000")
    )
    refused = invoke(settings, "apply", "--file", str(smaller))
    assert refused.exit_code == 1
    assert "partitions 8 -> 4 refused: Kafka takes no partitions away" in refused.output
    assert invoke(settings, "check").exit_code == 0


def test_brokers_that_are_away_are_told_with_the_reason() -> None:
    with pytest.raises(TopicsUnreadable, match=r"127\.0\.0\.1:9: .*refused"):
        open_admin(Settings(), "127.0.0.1:9", wait_seconds=0.5)

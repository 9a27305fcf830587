"""Policies' files come and go under a running worker: what is in force, and what is told."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.decision.defaults import DEFAULT_POLICY_FILE
from schemas import AlertRaised
from tests.builders import START
from tests.shell import KeepingPublisher
from tests.waiting import wait_until_async
from topology.errors import OperatorError
from topology.policies import PolicyFiles, load_policies, load_policy
from topology.settings import SettingsInvalid

TEXT = """\
name = "p"
version = "{version}"
[[rule]]
name = "seen"
grade = "escalate"
all = [{{ measure = "firearm.hits", window = 10, at_least = {least} }}]
"""
LINE_UP = """\
live = "live.toml"
[canary]
policy = "canary.toml"
share = 0.25
[shadow]
policy = "shadow.toml"
"""


def text(version: str = "1", least: object = 1) -> str:
    return TEXT.format(version=version, least=least)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text())
    return path


@pytest.fixture
def line_up(tmp_path: Path) -> Path:
    path = tmp_path / "line-up.toml"
    path.write_text(LINE_UP)
    for version, name in enumerate(("live", "canary", "shadow"), 1):
        (tmp_path / f"{name}.toml").write_text(text(str(version)))
    return path


@pytest.fixture
def publisher() -> KeepingPublisher:
    return KeepingPublisher()


Begin = Callable[[Path], PolicyFiles]


@pytest.fixture
def begin(publisher: KeepingPublisher) -> Begin:
    def make(source: Path) -> PolicyFiles:
        files = PolicyFiles(source, publisher, now=lambda: START)
        files.begin()
        return files

    return make


def write(file: Path, content: str) -> None:
    file.write_text(content)


def rename(file: Path, to: Path) -> Path:
    return file.rename(to)


async def settle(files: PolicyFiles) -> None:
    """Two looks that find the same, which is what it takes for a change to take effect."""
    await files.refresh()
    await files.refresh()


def alerts(publisher: KeepingPublisher) -> list[tuple[str, str, str]]:
    return [(it.kind, it.source, it.detail) for it in publisher.events(AlertRaised)]


def told(files: PolicyFiles) -> dict[str, Any]:
    status = files.status()["policy"]
    assert isinstance(status, dict)
    return status


def test_the_shipped_policy_can_be_used() -> None:
    policies = load_policies(DEFAULT_POLICY_FILE)
    assert policies.live.name == "default"
    assert (policies.canary, policies.shadow) == (None, None)


def test_a_line_up_names_files_beside_it(line_up: Path) -> None:
    policies = load_policies(line_up)
    assert policies.canary is not None
    assert policies.shadow is not None
    labels = [it.label for it in (policies.live, policies.canary, policies.shadow)]
    assert labels == ["p/1", "p/2", "p/3"]
    assert policies.share == 0.25


def test_a_line_up_is_no_policy(line_up: Path) -> None:
    with pytest.raises(OperatorError, match="is a line-up where a policy is asked for"):
        load_policy(line_up)
    line_up.with_name("canary.toml").write_text(LINE_UP)
    with pytest.raises(OperatorError, match=r"canary\.toml: is a line-up"):
        load_policies(line_up)


def test_two_policies_of_one_label_are_not_tried_against_each_other(line_up: Path) -> None:
    line_up.with_name("shadow.toml").write_text(text("1", least=2))
    with pytest.raises(OperatorError, match="shadow: is another p/1 than the live one"):
        load_policies(line_up)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text(least="'4x'").encode(), "line 6: rule 'seen': all[0].at_least: expected a number"),
        (b"name = '\xff'", "not UTF-8 at byte 8"),
        (b"#" * (1024 * 1024 + 1), "is larger than 1048576 bytes"),
        (None, "No such file or directory"),
    ],
)
def test_nothing_begins_with_a_file_that_cannot_be_used(
    begin: Begin, file: Path, content: bytes | None, message: str
) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(SettingsInvalid) as caught:
        begin(file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_a_path_that_cannot_be_one_is_said_so() -> None:
    with pytest.raises(SettingsInvalid, match="null"):
        load_policies(Path("policy\0.toml"))


async def test_a_changed_file_takes_effect_once_it_is_still(begin: Begin, file: Path) -> None:
    files = begin(file)
    write(file, text("2"))
    await files.refresh()
    assert files.current.live.label == "p/1"
    await files.refresh()
    assert files.current.live.label == "p/2"


async def test_a_file_that_was_only_touched_changes_nothing(begin: Begin, file: Path) -> None:
    files = begin(file)
    before = files.current
    os.utime(file, (1, 1))
    await settle(files)
    assert files.current is before


async def test_a_changed_part_of_a_line_up_takes_effect(begin: Begin, line_up: Path) -> None:
    files = begin(line_up)
    write(line_up.with_name("canary.toml"), text("7"))
    await settle(files)
    assert told(files)["canary"]["policy"] == "p/7"
    assert told(files)["live"]["policy"] == "p/1"


async def test_a_broken_file_leaves_the_policy_and_people_are_told_once(
    begin: Begin, file: Path, publisher: KeepingPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    files = begin(file)
    before = files.current
    write(file, text(least="'secret'"))
    with caplog.at_level(logging.INFO):
        await settle(files)
        await settle(files)
    assert files.current is before
    ((kind, source, detail),) = alerts(publisher)
    assert (kind, source) == ("policy-broken", "policy.toml")
    assert "policy.toml: line 6: rule 'seen': all[0].at_least: expected a number" in detail
    assert told(files)["failure"] == detail
    assert f"{file}, line 6" in caplog.text
    assert "secret" not in caplog.text


async def test_each_way_of_being_broken_is_told_and_so_is_that_it_is_mended(
    begin: Begin, file: Path, publisher: KeepingPublisher
) -> None:
    files = begin(file)
    for content in (text(least="'a'"), text(least="'b'"), text("2"), text(least="'a'")):
        write(file, content)
        await settle(files)
    kinds = [kind for kind, _, _ in alerts(publisher)]
    assert kinds == ["policy-broken", "policy-broken", "policy-mended", "policy-broken"]
    assert files.current.live.label == "p/2"


async def test_a_file_that_is_gone_and_back_is_broken_and_mended(
    begin: Begin, file: Path, publisher: KeepingPublisher
) -> None:
    files = begin(file)
    kept = rename(file, file.with_name("kept.toml"))
    await settle(files)
    rename(kept, file)
    await settle(files)
    (_, _, gone), (kind, _, mended) = alerts(publisher)
    assert gone.endswith("No such file or directory")
    assert (kind, mended) == ("policy-mended", "p/1 is in force")
    assert told(files)["failure"] is None


async def test_a_line_up_with_one_broken_part_leaves_all_as_it_was(
    begin: Begin, line_up: Path, publisher: KeepingPublisher
) -> None:
    files = begin(line_up)
    before = files.current
    write(line_up.with_name("live.toml"), text("8"))
    write(line_up.with_name("shadow.toml"), "broken")
    await settle(files)
    assert files.current is before
    ((_, source, detail),) = alerts(publisher)
    assert source == "line-up.toml"
    assert "shadow.toml: line 1: not TOML" in detail


async def test_an_alert_waits_for_brokers_that_are_away_and_the_policy_does_not(
    begin: Begin, file: Path, publisher: KeepingPublisher
) -> None:
    files = begin(file)
    publisher.broken = True
    write(file, "broken")
    await settle(files)
    write(file, text("2"))
    await settle(files)
    assert files.current.live.label == "p/2"
    publisher.broken = False
    await files.refresh()
    assert [kind for kind, _, _ in alerts(publisher)] == ["policy-broken", "policy-mended"]


def test_what_is_in_force_is_told(begin: Begin, line_up: Path) -> None:
    files = begin(line_up)
    status = told(files)
    assert status["live"] == {"policy": "p/1", "digest": files.current.live.digest, "rules": 1}
    assert status["canary"]["share"] == 0.25
    assert status["shadow"]["policy"] == "p/3"
    assert (status["source"], status["failure"]) == (str(line_up), None)
    assert status["loaded_at"] == "2023-11-14T22:13:20+00:00"
    assert [(it.part, it.label, it.share) for it in files.in_force()] == [
        ("live", "p/1", 0.75),
        ("canary", "p/2", 0.25),
        ("shadow", "p/3", 0.0),
    ]
    assert files.failures() == []


async def test_while_the_service_runs_files_are_looked_at(begin: Begin, file: Path) -> None:
    files = begin(file)
    async with files:
        write(file, text("2"))
        await wait_until_async(lambda: files.current.live.label == "p/2", 10)

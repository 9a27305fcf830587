"""The plan of who may do what: what the shipped one says, and what a broken one is told."""

from __future__ import annotations

import pytest

from agents.oncall.feed import FOLLOWED
from agents.oncall.graph import REDRIVEN_INTO
from schemas import topics
from topology.acl_admin import load_acls
from topology.acl_plan import AclPlanInvalid, Grant, besides, missing, parse_acls
from topology.incident.reading import _ABOUT, _EFFECTS

SHIPPED = load_acls()
JUDGEMENT = "User:firebreak-judgement"
DECISIONS = (
    topics.TAKEDOWNS,
    topics.ESCALATIONS,
    topics.SAMPLING,
    topics.REFERRALS,
    topics.REVERSALS,
    topics.CLOSURES,
    topics.ANSWERS,
    topics.BREAKER,
)


def may(principal: str, operation: str) -> set[str]:
    return {
        grant.name
        for grant in SHIPPED
        if (grant.principal, grant.operation, grant.resource) == (principal, operation, "topic")
    }


@pytest.mark.parametrize("topic", DECISIONS)
def test_only_judgement_decides(topic: str) -> None:
    writers = {it.principal for it in SHIPPED if it.name == topic and it.operation == "write"}
    assert writers == {JUDGEMENT}


def test_pictures_of_people_are_read_where_they_are_judged_or_shown_and_nowhere_else() -> None:
    """Who may read them to show them may also write down that they were seen."""
    readers = {
        it.principal for it in SHIPPED if it.name == topics.FRAME_SAMPLES and it.operation == "read"
    }
    assert readers == {"User:firebreak-detection", JUDGEMENT}
    assert topics.EVIDENCE_VIEWS in may(JUDGEMENT, "write")


def test_what_an_export_reads_may_be_read_by_who_serves_the_page() -> None:
    """A topic that is read for an incident and not granted would fail on secured brokers alone."""
    read = {topic for kinds in (_EFFECTS, *(kinds for kinds, _ in _ABOUT)) for topic in kinds}
    assert read <= may(JUDGEMENT, "read")


def test_what_the_on_call_view_follows_may_be_read_by_who_serves_it() -> None:
    assert FOLLOWED.keys() <= may(JUDGEMENT, "read")


def test_people_alone_give_orders() -> None:
    """On the command line, and on the page, which judgement workers serve."""
    writers = {
        it.principal
        for it in SHIPPED
        if it.name == topics.OPERATOR_COMMANDS and it.operation == "write"
    }
    assert writers == {"User:firebreak-operator", JUDGEMENT}


def test_who_puts_records_back_may_do_all_of_it() -> None:
    """Read letter, record and note, and write copy and note, in a transaction."""
    assert {topics.DEAD_LETTERS, topics.REDRIVES, *REDRIVEN_INTO} <= may(JUDGEMENT, "read")
    assert {topics.REDRIVES, *REDRIVEN_INTO} <= may(JUDGEMENT, "write")
    assert Grant(JUDGEMENT, "transaction", "firebreak-redrive", "write") in SHIPPED


def test_workers_see_that_every_topic_is_there() -> None:
    for principal in (JUDGEMENT, "User:firebreak-detection"):
        assert may(principal, "describe") == topics.ALL


def test_a_plan_grants_what_it_lists_and_nothing_else() -> None:
    text = f"principals: {{'User:a': {{read: [{topics.RISK}], groups: [g], transactions: [t]}}}}"
    assert parse_acls(text) == {
        Grant("User:a", "topic", topics.RISK, "read"),
        Grant("User:a", "group", "g", "read"),
        Grant("User:a", "transaction", "t", "write"),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not YAML"),
        ("", "one key"),
        ("topics: {}", "one key"),
        ("principals: {}", "principals: none"),
        ("principals: {a: {read: []}}", "'a' is not of the form User:NAME"),
        ("principals: {'User:a': {}}", "User:a: nothing is granted"),
        ("principals: {'User:a': {reed: []}}", "User:a: reed: unknown key"),
        ("principals: {'User:a': {read: x}}", "User:a: read: not a list of names"),
        ("principals: {'User:a': {read: [1]}}", "User:a: read: not a list of names"),
        ("principals: {'User:a': {write: [x]}}", "User:a: write: x is none of our topics"),
        ("principals: {'User:a': {describe: x}}", "User:a: describe: can only be `all`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(AclPlanInvalid) as error:
        parse_acls(text)
    assert told in str(error.value)


def test_what_is_missing_and_what_is_granted_besides() -> None:
    planned = {Grant("User:a", "topic", "t", "read"), Grant("User:a", "topic", "t", "write")}
    granted = [
        Grant("User:a", "topic", "t", "read"),
        Grant("User:a", "topic", "u", "read"),
        Grant("User:somebody", "topic", "t", "write"),
    ]
    assert missing(planned, granted) == [Grant("User:a", "topic", "t", "write")]
    assert besides(planned, granted) == [Grant("User:a", "topic", "u", "read")]

"""The decision agent's shell, in Faust's own test context."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from faust.types import TP
from msgspec.structs import replace

from agents.decision import agent as decision
from agents.decision.controls import Controls
from agents.decision.defaults import default_policy
from agents.decision.policies import Policies
from agents.publishing import ProcessUnfit, PublishFailed
from schemas import (
    CommandAnswered,
    EscalationRaised,
    Event,
    EventDeadLettered,
    PoliciesDisagreed,
    StreamsCounted,
    StreamUnwatched,
    TakedownRequested,
    topics,
)
from tests.builders import START
from tests.decision.timeline import SESSION, STREAM, heard, order, risk, update
from tests.shell import CODEC, Aborted, Bench, KeepingStateLog, record

POLICY = default_policy()
KEY = f"{STREAM}\x1f{SESSION}".encode()


@dataclass
class Court:
    """A decision agent, and the offsets that its inputs have come to."""

    log: KeepingStateLog = field(default_factory=KeepingStateLog)
    policies: Policies = field(default_factory=lambda: Policies(POLICY))
    offsets: Counter[str] = field(default_factory=Counter)
    bench: Bench = field(default_factory=lambda: Bench("decision"))
    member: bool = True

    def __post_init__(self) -> None:
        self.deciding = decision.register(
            self.bench.app,
            CODEC,
            self.bench.intake,
            policies=lambda: self.policies,
            controls=Controls(),
            state_log=self.log,
        )

    async def hand_over(self) -> None:
        async def is_member() -> bool:
            return self.member

        partitions = {TP(topics.RISK, 0), TP(topics.HEARD, 0)}
        await self.deciding.hand_over(partitions, is_member)

    async def put(self, *events: Event | bytes, topic: str = topics.RISK) -> None:
        records = []
        for event in events:
            value = event if isinstance(event, bytes) else CODEC.encode(event)
            name = topic if isinstance(event, bytes) else topics.TOPIC_OF[type(event).__name__]
            at = START if isinstance(event, bytes) else event.time
            offset = self.offsets[name]
            records.append(record(value, offset, topic=name, partition=0, appended_at=at))
            self.offsets[name] += 1
        await self.bench.put(*([it] for it in records))

    def again(self) -> Court:
        """Another worker that takes the partition over and is handed the same records again."""
        return Court(self.log, self.policies)

    def kept(self) -> list[Event]:
        return [item.event for item in self.bench.publisher.kept]


async def test_what_crosses_the_policy_is_taken_down_and_escalated_once() -> None:
    court = Court()
    await court.put(risk(10, 8), risk(11, 8))
    assert len(court.bench.publisher.events(TakedownRequested)) == 1
    assert len(court.bench.publisher.events(EscalationRaised)) == 1
    assert court.bench.counts["decision refused already-requested"] == 1
    assert court.bench.counts["decision events"] == 2


async def test_effects_are_keyed_by_stream_and_named_by_their_own_id() -> None:
    court = Court()
    await court.put(risk(10, 8))
    assert len(court.bench.publisher.kept) >= 3
    for item in court.bench.publisher.kept:
        assert (item.key, item.id) == (STREAM.encode(), item.event.id)


async def test_counts_are_written_to_the_partition_that_they_are_about() -> None:
    court = Court()
    await court.put(heard(0, (STREAM, SESSION, 0)))
    (item,) = [it for it in court.bench.publisher.kept if isinstance(it.event, StreamsCounted)]
    assert item.partition == 0


@pytest.mark.parametrize("topic", [topics.RISK, topics.OPERATOR_COMMANDS, topics.HEARD])
async def test_a_record_that_can_not_be_read_is_dead_lettered_and_the_next_is_decided(
    topic: str,
) -> None:
    court = Court()
    await court.put(b"\x7fnonsense", topic=topic)
    await court.put(risk(10, 8))
    (letter,) = court.bench.publisher.events(EventDeadLettered)
    assert (letter.cause, letter.topic) == ("unreadable-event", topic)
    assert len(court.bench.publisher.events(TakedownRequested)) == 1


async def test_more_than_a_session_can_remember_is_dead_lettered_and_the_next_is_decided() -> None:
    """And not remembered: brokers would not take it, today or after a restart."""
    court = Court()
    await court.put(update(5, "updated", category="c" * 16_384), risk(10, 8))
    (letter,) = court.bench.publisher.events(EventDeadLettered)
    assert (letter.cause, letter.topic) == ("event-too-large", topics.STREAM_UPDATES)
    assert len(court.bench.publisher.events(TakedownRequested)) == 1
    assert max(len(value) for value in court.log.kept[0].values()) < 16_384


async def test_a_stream_that_ended_clear_is_remembered_until_its_last_frames_are_judged() -> None:
    court = Court()
    await court.put(heard(0), update(0, "started"), risk(1, 1), risk(20, 0), update(30, "ended"))
    await court.put(heard(40), heard(601))
    assert court.log.kept[0].keys() == {KEY}
    await court.put(heard(631))
    assert court.log.kept[0].keys() == set()


async def test_a_record_that_comes_again_after_a_crash_has_the_same_effects_word_for_word() -> None:
    court = Court()
    await court.put(risk(10, 8))
    after = court.again()
    # Meanwhile something else was learned, which deciding anew would tell otherwise.
    await after.put(update(5, "updated", viewers=4000))
    await after.put(risk(10, 8))
    assert after.kept() == court.kept()


async def test_a_crash_before_the_effects_are_out_loses_none_of_them() -> None:
    court = Court()
    court.bench.publisher.broken = True
    with pytest.raises(Aborted):
        await court.put(risk(10, 8))
    assert court.kept() == []
    after = court.again()
    await after.put(risk(10, 8))
    assert len(after.bench.publisher.events(TakedownRequested)) == 1


async def test_a_crash_before_what_is_remembered_is_out_publishes_nothing() -> None:
    class Broken(KeepingStateLog):
        async def write(self, partition: int, key: bytes, value: bytes | None) -> bool:
            raise PublishFailed("brokers are away")

    court = Court(Broken())
    with pytest.raises(Aborted):
        await court.put(risk(10, 8))
    assert court.kept() == []


async def test_what_another_worker_wrote_over_too_late_is_written_again() -> None:
    """As it is remembered here, or removed where it is not, with whatever record comes next."""
    court = Court()
    await court.put(risk(10, 8))
    remembered = court.log.kept[0][KEY]
    gone = f"{STREAM}\x1fgone".encode()
    court.log.kept[0] |= {KEY: b"late", gone: b"late"}
    court.log.buried = {KEY, gone}
    await court.put(heard(11))
    assert court.log.kept[0] == {KEY: remembered}


async def test_what_is_decided_of_a_partition_that_another_worker_has_does_not_come_out() -> None:
    court = Court()
    await court.put(risk(0, 0))
    court.log.lost = True
    with pytest.raises(Aborted):
        await court.put(risk(10, 8))
    assert court.kept() == []


async def test_a_worker_that_is_no_member_any_more_decides_nothing() -> None:
    court = Court(member=False)
    await court.hand_over()
    court.log.lost = True
    with pytest.raises(Aborted):
        await court.put(risk(10, 8))
    assert court.kept() == []


async def test_an_order_of_a_scope_is_answered_by_who_has_the_partition_alone() -> None:
    court = Court()
    court.log.lost = True
    with pytest.raises(Aborted):
        await court.put(order(1, "close-breaker", scope="all"))
    assert court.kept() == []


async def test_what_was_decided_before_a_restart_is_not_decided_again_by_later_records() -> None:
    court = Court()
    await court.put(risk(10, 8))
    after = court.again()
    after.offsets[topics.RISK] = 1
    await after.put(risk(11, 8))
    assert after.kept() == []
    assert after.bench.counts["decision refused already-requested"] == 1


async def test_ticks_that_come_again_tell_each_stream_s_overdue_takedown_once_more_the_same() -> (
    None
):
    court = Court()
    await court.put(heard(0), risk(1, 8), heard(11))
    retried = court.bench.publisher.events(TakedownRequested)
    assert len(retried) == 2
    after = court.again()
    after.offsets[topics.HEARD] = 1
    await after.put(heard(11))
    assert after.bench.publisher.events(TakedownRequested) == retried[1:]


async def test_an_event_is_decided_at_the_time_the_brokers_took_it_whatever_came_between() -> None:
    """Ticks come on a topic of their own: how far that has been read must not show."""
    early, late = Court(), Court()
    await early.put(heard(0), risk(10, 8))
    await late.put(heard(0), heard(12), risk(10, 8))
    for event_type in (EscalationRaised, TakedownRequested):
        assert late.bench.publisher.events(event_type) == early.bench.publisher.events(event_type)


async def test_the_log_is_read_once_while_records_continue_each_other() -> None:
    court = Court()
    await court.put(risk(1, 1), heard(2), risk(2, 1), update(2, "updated"), risk(3, 1), heard(3))
    assert court.log.reads == 1


async def test_the_log_is_read_when_partitions_are_handed_out_and_not_with_the_first_event() -> (
    None
):
    court = Court()
    await court.hand_over()
    assert court.log.reads == 1
    await court.put(risk(1, 1))
    assert court.log.reads == 1
    # Others may have decided meanwhile.
    await court.hand_over()
    assert court.log.reads == 2


async def test_a_worker_that_can_not_read_what_was_decided_ends() -> None:
    class Unreadable(KeepingStateLog):
        async def read(self, partition: int) -> dict[bytes, bytes]:
            raise ProcessUnfit("no answer")

    court = Court(Unreadable())
    with pytest.raises(Aborted):
        await court.hand_over()


@pytest.mark.parametrize(
    ("value", "effects"),
    [
        (b'{"state":"escalated","decided_at":1700000000000000}', [TakedownRequested]),
        (b'{"state":"takedown-requested","decided_at":1700000000000000}', []),
        (b'{"session":{"state":"suppressed","override":{"operator":"o","ordered_at":1}}}', []),
        (b'{"session":{},"marks":{"firebreak.risk.v1":{"offset":0}}}', []),
    ],
)
async def test_what_earlier_versions_remembered_is_read(
    value: bytes, effects: list[type[Event]]
) -> None:
    court = Court()
    await court.log.write(0, KEY, value)
    await court.put(risk(10, 8))
    assert [type(it) for it in court.kept() if isinstance(it, TakedownRequested)] == effects


async def test_two_sessions_of_a_stream_are_decided_apart() -> None:
    court = Court()
    await court.put(
        *(risk(second, 3, session=session) for second in (1, 2) for session in ("one", "two"))
    )
    escalations = court.bench.publisher.events(EscalationRaised)
    assert [event.session_id for event in escalations] == ["one", "two"]


async def test_an_order_is_carried_out_and_answered() -> None:
    court = Court()
    await court.put(risk(10, 8), order(20, "release"))
    (answer,) = court.bench.publisher.events(CommandAnswered)
    assert (answer.applied, answer.state_after) == (True, "released")


async def test_a_worker_that_takes_over_watches_on_over_the_live_streams() -> None:
    court = Court()
    await court.put(heard(0), update(0, "started"))
    after = court.again()
    after.offsets[topics.HEARD] = 1
    await after.put(heard(2), heard(30))
    (notice,) = after.bench.publisher.events(StreamUnwatched)
    assert notice.stream_id == STREAM


async def test_a_shadow_policy_decides_nothing_and_only_its_differences_are_told() -> None:
    lenient = replace(POLICY, version="trial", rules=POLICY.rules[2:])
    court = Court(policies=Policies(POLICY, shadow=lenient))
    await court.put(update(0, "started"), risk(1, 1), risk(2, 3), risk(3, 8), risk(4, 8))
    (differs,) = court.bench.publisher.events(PoliciesDisagreed)
    assert differs.cause_id == risk(3, 8).risk_id
    assert "TakedownRequested" in differs.effects
    assert "TakedownRequested" not in differs.shadow_effects
    assert len(court.bench.publisher.events(TakedownRequested)) == 1

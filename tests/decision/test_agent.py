"""The decision agent's shell, in Faust's own test context."""

from __future__ import annotations

from agents.decision import agent as decision
from agents.decision.policy import DEFAULT_POLICY
from schemas import EscalationRaised, EventDeadLettered, TakedownRequested
from tests.builders import risk_assessed, window
from tests.shell import CODEC, Bench, KeepingStateLog

STRONG = (window(3.0, 6, 0.9), window(10.0, 12, 0.8))


def bench(state_log: KeepingStateLog | None = None) -> Bench:
    made = Bench("decision")
    log = state_log or KeepingStateLog()
    decision.register(made.app, CODEC, DEFAULT_POLICY, log, made.intake)
    return made


async def put(made: Bench, *values: bytes) -> None:
    async with made.app.agents["decision"].test_context() as agent:
        for value in values:
            await agent.put(value, key=b"stream-1")


async def test_a_risk_that_crosses_the_policy_is_taken_down_and_escalated_once() -> None:
    made = bench()
    value = CODEC.encode(risk_assessed(*STRONG))
    await put(made, value, value)
    assert len(made.publisher.events(TakedownRequested)) == 1
    assert len(made.publisher.events(EscalationRaised)) == 1
    assert made.counts["decision refused already-requested"] == 1
    assert made.counts["decision events"] == 2


async def test_effects_are_keyed_by_stream_and_named_by_their_own_id() -> None:
    made = bench()
    await put(made, CODEC.encode(risk_assessed(*STRONG)))
    for item in made.publisher.kept:
        assert item.key == b"stream-1"
        assert item.id in (
            getattr(item.event, "takedown_id", None),
            getattr(item.event, "escalation_id", None),
        )


async def test_a_record_that_is_no_risk_is_dead_lettered_and_the_next_is_decided() -> None:
    made = bench()
    await put(made, b"\x7fnonsense", CODEC.encode(risk_assessed(*STRONG)))
    (letter,) = made.publisher.events(EventDeadLettered)
    assert letter.cause == "unreadable-event"
    assert len(made.publisher.events(TakedownRequested)) == 1


async def test_a_clear_session_is_not_remembered() -> None:
    log = KeepingStateLog()
    made = bench(log)
    watching = risk_assessed(window(3.0, 1, 0.1), window(10.0, 1, 0.1))
    clear = risk_assessed(window(3.0, 0), window(10.0, 0))
    await put(made, CODEC.encode(watching))
    assert log.kept[0].keys() == {b"stream-1\x1fsession-1"}
    await put(made, CODEC.encode(clear))
    assert log.kept[0].keys() == set()


async def test_what_was_decided_before_a_restart_is_not_decided_again() -> None:
    log = KeepingStateLog()
    value = CODEC.encode(risk_assessed(*STRONG))
    await put(bench(log), value)
    after = bench(log)
    await put(after, value)
    assert after.publisher.kept == []
    assert after.counts["decision refused already-requested"] == 1


async def test_the_log_is_read_once_while_risks_continue_each_other() -> None:
    log = KeepingStateLog()
    await put(bench(log), *[CODEC.encode(risk_assessed(*STRONG))] * 3)
    assert log.reads == 1


async def test_two_sessions_of_a_stream_are_decided_apart() -> None:
    made = bench()
    risks = [
        CODEC.encode(risk_assessed(*STRONG, session_id=session, risk_id=f"{session} {number}"))
        for number in range(3)
        for session in ("one", "two")
    ]
    await put(made, *risks)
    takedowns = made.publisher.events(TakedownRequested)
    assert [event.session_id for event in takedowns] == ["one", "two"]

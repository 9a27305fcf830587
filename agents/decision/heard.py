"""Time passes in a partition, and which of its streams are judged is told. Pure."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from schemas import StreamHeard, StreamsHeard

from . import answering, telling
from .decide import Decision, due_inputs
from .session import Session
from .situation import KEPT
from .states import Input, State
from .turn import Turn
from .watching import Key

_EXPECTED = frozenset(
    {State.CLEAR, State.WATCHING, State.ESCALATED, State.RELEASED, State.SUPPRESSED}
)
"""States in which frames are expected: a stream that is to be stopped may fall silent."""


def take_heard(turn: Turn, heard: StreamsHeard, done: Collection[Key]) -> None:
    situation = turn.situation
    situation.pass_time(heard.heard_at, turn.policies)
    for stream in heard.streams:
        key = (stream.stream_id, stream.session_id)
        if key not in done:
            _hear(turn, key, stream)
    for key in list(situation.agenda.due(situation.now)):
        if key not in done and key in situation.sessions:
            _fall_due(turn, key)
    _tell_unwatched(turn, done)
    if situation.trial:
        return
    counted = telling.count(situation, heard, turn.policies.live.breaker.within)
    if counted is not None:
        turn.outcome.effects.append(counted)
        turn.controls.apply(counted)
    turn.trip(turn.policies.live)


def _hear(turn: Turn, key: Key, stream: StreamHeard) -> None:
    situation = turn.situation
    session = situation.sessions.get(key)
    if session is not None and session.ended:
        return
    situation.watch.hear(key, stream.appended_at, situation.now)
    if session is None:
        return
    after = turn.policies.live.unwatched_after
    if session.unwatched and situation.watch.is_watched(key, situation.now, after):
        notice = telling.unwatched(key, session, situation.now, stream.appended_at, again=True)
        watched = replace(session, unwatched="")
        turn.follow(key, session, Decision(watched, (notice,)))
        session = watched
    takedown = session.takedown
    if session.state is State.STOPPED and takedown is not None:
        settled_at = takedown.confirmed_at + turn.policies.of(key[0]).stop_settle
        if stream.appended_at > settled_at:
            cause = answering.to_stop(session, situation.now)
            turn.reach(key, session, cause, Input.STILL_RUNNING)


def _fall_due(turn: Turn, key: Key) -> None:
    policy, now = turn.policies.of(key[0]), turn.situation.now
    for given in due_inputs(policy, turn.situation.sessions[key], now):
        session = turn.situation.sessions.get(key)
        # What was due before it may have put it off: people who were told just now have their time.
        if session is not None and given in due_inputs(policy, session, now):
            cause = answering.to_time(policy, key, session, given, now)
            turn.reach(key, session, cause, given)
    session = turn.situation.sessions.get(key)
    if session is not None and turn.situation.is_over(session):
        turn.situation.forget(key)
        turn.outcome.changed.setdefault(key, [])
    elif session is not None:
        turn.situation.keep(key, session, turn.policies)


def _tell_unwatched(turn: Turn, done: Collection[Key]) -> None:
    situation = turn.situation
    after = turn.policies.live.unwatched_after
    for key, reason, since in situation.watch.overdue(situation.now, after):
        session = situation.sessions.get(key, Session())
        known_live = session.started_at > 0 or session.state is not State.CLEAR
        if not known_live or since + KEPT <= situation.now:
            situation.lose(key)
            if not session.open and key in situation.sessions:
                situation.forget(key)
                turn.outcome.changed.setdefault(key, [])
        elif session.state in _EXPECTED and not session.unwatched and key not in done:
            lost = replace(session, unwatched=reason)
            notice = telling.unwatched(key, lost, situation.now, since)
            turn.follow(key, session, Decision(lost, (notice,)))

"""What an order would lead to, told before it is given. Pure.

``EXPECTED`` says for each state that a stream shows, and each order, what follows or why it would
be refused. A test holds it equal to the decision's own table, which is the one that counts: this
page may know less of the stream than the worker that decides, so it foretells and does not promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .incidents import Incident
from .orders import GROUPS, ORDERS, Order
from .rows import StreamRow
from .standing import StreamState


@dataclass(frozen=True, slots=True)
class Expected:
    """Where an order leads from a state, what is asked for on the way, and why it is refused."""

    to: StreamState
    asks: tuple[str, ...] = ()
    """As the decision's machine names them."""
    refusal: str = ""


_OF_INCIDENTS = ("acknowledge", "assign", "escalate")
_TAKE_DOWN = Expected(StreamState.TAKEDOWN_REQUESTED, ("escalate", "take-down"))
_CONFIRM = Expected(StreamState.TAKEDOWN_REQUESTED, ("escalate", "take-down", "refer"))


def _refused(state: StreamState, refusal: str, *commands: str) -> dict[str, Expected]:
    return dict.fromkeys(commands, Expected(state, refusal=refusal))


def _with_an_incident(state: StreamState) -> dict[str, Expected]:
    return {
        "acknowledge": Expected(state),
        "assign": Expected(state),
        "escalate": Expected(state, ("widen",)),
    }


def _with_nothing_open(state: StreamState) -> dict[str, Expected]:
    return {
        "takedown": _TAKE_DOWN,
        "suppress": Expected(StreamState.SUPPRESSED),
        "verdict-true": _CONFIRM,
        **_refused(state, "nothing-open", "release", "verdict-false", *_OF_INCIDENTS),
        **_refused(state, "not-suppressed", "resume"),
    }


def _with_a_takedown(state: StreamState) -> dict[str, Expected]:
    back = ("reverse", "close-rejected")
    return {
        "release": Expected(StreamState.RELEASED, back),
        "suppress": Expected(StreamState.SUPPRESSED, back),
        "verdict-false": Expected(StreamState.RELEASED, back),
        **_with_an_incident(state),
        **_refused(state, "not-suppressed", "resume"),
    }


def _overridden(state: StreamState) -> dict[str, Expected]:
    return {
        "takedown": _TAKE_DOWN,
        "suppress": Expected(StreamState.SUPPRESSED),
        "resume": Expected(StreamState.CLEAR),
        "verdict-true": _CONFIRM,
        **_refused(state, "already-released", "release", "verdict-false"),
        **_refused(state, "nothing-open", *_OF_INCIDENTS),
    }


EXPECTED: Mapping[StreamState, Mapping[str, Expected]] = {
    **{
        state: _with_nothing_open(state)
        for state in (StreamState.CLEAR, StreamState.WATCHING, StreamState.ENDED)
    },
    StreamState.ESCALATED: {
        "takedown": Expected(StreamState.TAKEDOWN_REQUESTED, ("worsen", "take-down")),
        "release": Expected(StreamState.RELEASED, ("close-rejected",)),
        "suppress": Expected(StreamState.SUPPRESSED, ("close-rejected",)),
        "verdict-true": Expected(StreamState.TAKEDOWN_REQUESTED, ("worsen", "take-down", "refer")),
        "verdict-false": Expected(StreamState.RELEASED, ("close-rejected",)),
        **_with_an_incident(StreamState.ESCALATED),
        **_refused(StreamState.ESCALATED, "not-suppressed", "resume"),
    },
    StreamState.TAKEDOWN_REQUESTED: {
        **_with_a_takedown(StreamState.TAKEDOWN_REQUESTED),
        "takedown": Expected(StreamState.TAKEDOWN_REQUESTED, ("retry",)),
        "verdict-true": Expected(StreamState.TAKEDOWN_REQUESTED, ("refer",)),
    },
    StreamState.STOPPED: {
        **_with_a_takedown(StreamState.STOPPED),
        **_refused(StreamState.STOPPED, "already-stopped", "takedown"),
        "verdict-true": Expected(StreamState.STOPPED, ("refer", "settle")),
    },
    StreamState.RELEASED: _overridden(StreamState.RELEASED),
    StreamState.SUPPRESSED: {
        **_overridden(StreamState.SUPPRESSED),
        "release": Expected(StreamState.RELEASED),
    },
}

_TOLD = {
    "escalate": "An incident is opened, and those whom the policy names for it get to know.",
    "widen": "Those whom the policy names for it get to know, and those whom it names for "
    "incidents that nobody answers.",
    "worsen": "Those who have the incident get to know that it got graver.",
    "take-down": "The takedown services are asked to stop the stream at once.",
    "retry": "The takedown that was requested is asked for again, word for word: "
    "a service that has done it does nothing more.",
    "refer": "A referral to the police is prepared, once an incident, where the policy has a "
    "route for the region.",
    "reverse": "The takedown services and the platform are told that the takedown is taken back.",
    "close-rejected": "The incident is closed as rejected.",
    "settle": "The incident is closed as confirmed, as the stop was confirmed.",
}

REFUSALS = {
    "already-escalated": "it is before people already",
    "already-requested": "a takedown was requested already",
    "already-stopped": "the stream was stopped already",
    "already-released": "a person has released it, or suppressed it, already",
    "nothing-open": "no incident is open",
    "nothing-requested": "no takedown was requested",
    "not-suppressed": "no release or suppression is in force",
    "human-override": "a person decided otherwise",
    "held-by-another": "somebody else has the incident in hand; take it over first",
    "unknown-command": "the workers do not know this order",
    "unknown-scope": "there is no such scope",
    "no-reason": "it had no reason",
    "no-time-limit": "it did not say for how long",
    "expired": "the time that it was ordered for was over when it was read",
}
"""Why an order is not carried out, in words; one that is not known here is shown as it came."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a person is told before giving an order."""

    follows: tuple[str, ...]
    """What follows, in sentences, in order."""
    refusal: str = ""
    """Why it is likely to be refused as things stand, in words; empty where it is not."""
    already: str = ""
    """Why it is likely to change nothing; empty where it does."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an order would be of, as it stands: one session of a stream."""

    stream_id: str
    session_id: str
    state: StreamState
    held_by: str
    """Who has its incident in hand; empty where nobody has, or it is closed."""
    drill: bool
    ended: bool
    rule: str
    explanation: str
    superseded: bool = False
    """Whether the stream began anew since: another session is its newest."""


def newest_session(row: StreamRow) -> Subject:
    """The session that ``row`` shows."""
    it = row.decision
    return Subject(
        stream_id=row.stream_id,
        session_id=row.session_id,
        state=row.state,
        held_by=it.held_by if it is not None and not it.closed else "",
        drill=row.drill,
        ended=row.ended,
        rule=it.rule if it is not None else "",
        explanation=it.explanation if it is not None else "",
    )


def session_of(incident: Incident, ended: bool, superseded: bool) -> Subject:
    """The session that ``incident`` is of, which may have ended, or not be the newest."""
    return Subject(
        stream_id=incident.stream_id,
        session_id=incident.session_id,
        state=incident.state,
        held_by=incident.held_by if incident.closed_at is None else "",
        drill=incident.drill,
        ended=ended,
        rule=incident.rule,
        explanation=incident.explanation,
        superseded=superseded,
    )


def foretell(command: str, of: Subject, person: str) -> Foretold:
    """What ``command`` is likely to lead to as things stand, for ``person``."""
    order = ORDERS[command]
    expected = EXPECTED[of.state].get(command)
    refusal = _refusal(order, expected, of, person)
    follows = [order.does]
    if _held_by_another(of, person):
        follows.append(f"{of.held_by} has this in hand.")
    if expected is not None and not expected.refusal:
        follows += [_TOLD[ask] for ask in expected.asks]
        if expected.to is not of.state:
            follows.append(f"The stream goes from “{of.state}” to “{expected.to}”.")
    if of.drill:
        follows.append("The stream is a drill: all of it is done, and nothing outside acts on it.")
    if of.superseded:
        follows.append(
            "The stream began anew since: what is ordered is of the earlier session, and the one "
            "that runs is not touched."
        )
    elif of.ended:
        follows.append("The stream has ended: what is ordered is of a session that is over.")
    return Foretold(tuple(follows), refusal)


def _refusal(order: Order, expected: Expected | None, of: Subject, person: str) -> str:
    if expected is not None and expected.refusal:
        return REFUSALS[expected.refusal]
    if _held_by_another(of, person) and order.command in LOCKED:
        return f"{of.held_by} has the incident in hand; take it over first"
    return ""


def _held_by_another(of: Subject, person: str) -> bool:
    return of.held_by not in ("", person)


LOCKED = frozenset({"acknowledge", "verdict-true", "verdict-false"})
"""Orders that are refused to whom the incident is not in hand, while somebody else has it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An order of a stream, and why it is likely to be refused; empty where it is not."""

    order: Order
    refusal: str


def offers(of: Subject, person: str) -> list[tuple[str, list[Offer]]]:
    """What ``person`` can order of a session, by group."""
    return [
        (title, [Offer(ORDERS[it], foretell(it, of, person).refusal) for it in commands])
        for title, commands in GROUPS
    ]

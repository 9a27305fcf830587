"""The decision as a state machine: one per stream and session. Pure.

``TRANSITIONS`` is the specification: each state and each input lead to a state and to what is
asked for on the way, and whatever is deliberately not done is a :class:`Refusal`. Every pair is in
it. ``docs/decision.md`` is drawn from it (``python -m deploy.docs``).

Three things hold whatever the table says of a single pair. A session never falls back from
escalated, requested or stopped by itself: people close incidents, or nobody does for so long that
it is closed as unanswered. What a person ordered stands until a person says otherwise, until it
lapses as ordered, or until evidence of a higher grade than that person saw. And evidence that is
held back from a takedown is escalated, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

from .states import Ask, Input, Refusal, State


@dataclass(frozen=True, slots=True)
class Transition:
    """Where to, what is asked for on the way, in order, and what is refused."""

    to: State
    asks: tuple[Ask, ...] = ()
    refusal: Refusal | None = None


_Row = dict[Input, Transition]


def _stay(state: State, refusal: Refusal, *inputs: Input) -> _Row:
    return dict.fromkeys(inputs, Transition(state, refusal=refusal))


def _go(to: State, *asks: Ask) -> Transition:
    return Transition(to, asks)


_TAKE_DOWN = _go(State.TAKEDOWN_REQUESTED, Ask.ESCALATE, Ask.TAKE_DOWN, Ask.REFER)
_ORDERED_DOWN = _go(State.TAKEDOWN_REQUESTED, Ask.ESCALATE, Ask.TAKE_DOWN)
_HELD = Transition(State.ESCALATED, (Ask.ESCALATE,), Refusal.HELD_BACK)
_REJECT = _go(State.RELEASED, Ask.CLOSE_REJECTED)
_TAKE_BACK = _go(State.RELEASED, Ask.REVERSE, Ask.CLOSE_REJECTED)


def _quiet(state: State) -> _Row:
    """Nothing is open: clear or watching."""
    return {
        Input.CALM: _go(State.CLEAR),
        Input.STIRRING: _go(State.WATCHING),
        Input.SUSPECT: _go(State.ESCALATED, Ask.ESCALATE),
        Input.ATTACK: _TAKE_DOWN,
        Input.ATTACK_HELD: _HELD,
        **_stay(state, Refusal.HUMAN_OVERRIDE, Input.OVERRULED),
        **_stay(state, Refusal.COOLDOWN, Input.COOLING),
        **_stay(
            state,
            Refusal.NOTHING_REQUESTED,
            Input.STOP_CONFIRMED,
            Input.STOP_OVERDUE,
            Input.STOP_UNCONFIRMED,
            Input.STILL_RUNNING,
        ),
        Input.RESTARTED: _go(State.ESCALATED, Ask.ESCALATE),
        **_stay(
            state,
            Refusal.NOTHING_OPEN,
            Input.ANSWER_OVERDUE,
            Input.STALE,
            Input.ORDER_RELEASE,
            Input.VERDICT_FALSE,
            Input.ACKNOWLEDGED,
            Input.ASSIGNED,
            Input.WIDENED,
        ),
        **_stay(state, Refusal.NOT_SUPPRESSED, Input.SUPPRESSION_OVER, Input.ORDER_RESUME),
        Input.ENDED: _go(State.CLEAR),
        Input.ORDER_TAKEDOWN: _ORDERED_DOWN,
        Input.ORDER_SUPPRESS: _go(State.SUPPRESSED),
        Input.VERDICT_TRUE: _TAKE_DOWN,
    }


def _escalated() -> _Row:
    state = State.ESCALATED
    return {
        Input.CALM: _go(state),
        Input.STIRRING: _go(state),
        Input.SUSPECT: Transition(state, (Ask.WORSEN,), Refusal.ALREADY_ESCALATED),
        Input.ATTACK: _go(State.TAKEDOWN_REQUESTED, Ask.WORSEN, Ask.TAKE_DOWN, Ask.REFER),
        Input.ATTACK_HELD: Transition(state, (Ask.WORSEN,), Refusal.HELD_BACK),
        **_stay(state, Refusal.HUMAN_OVERRIDE, Input.OVERRULED),
        **_stay(state, Refusal.COOLDOWN, Input.COOLING),
        **_stay(
            state,
            Refusal.NOTHING_REQUESTED,
            Input.STOP_CONFIRMED,
            Input.STOP_OVERDUE,
            Input.STOP_UNCONFIRMED,
            Input.STILL_RUNNING,
        ),
        **_stay(state, Refusal.ALREADY_ESCALATED, Input.RESTARTED),
        Input.ANSWER_OVERDUE: _go(state, Ask.REPEAT),
        Input.STALE: _go(State.CLEAR, Ask.CLOSE_UNANSWERED),
        **_stay(state, Refusal.NOT_SUPPRESSED, Input.SUPPRESSION_OVER, Input.ORDER_RESUME),
        Input.ENDED: _go(state),
        Input.ORDER_TAKEDOWN: _go(State.TAKEDOWN_REQUESTED, Ask.WORSEN, Ask.TAKE_DOWN),
        Input.ORDER_RELEASE: _REJECT,
        Input.ORDER_SUPPRESS: _go(State.SUPPRESSED, Ask.CLOSE_REJECTED),
        Input.VERDICT_TRUE: _go(State.TAKEDOWN_REQUESTED, Ask.WORSEN, Ask.TAKE_DOWN, Ask.REFER),
        Input.VERDICT_FALSE: _REJECT,
        Input.ACKNOWLEDGED: _go(state),
        Input.ASSIGNED: _go(state),
        Input.WIDENED: _go(state, Ask.WIDEN),
    }


def _requested() -> _Row:
    state = State.TAKEDOWN_REQUESTED
    return {
        Input.CALM: _go(state),
        Input.STIRRING: _go(state),
        **_stay(
            state,
            Refusal.ALREADY_REQUESTED,
            Input.SUSPECT,
            Input.ATTACK,
            Input.ATTACK_HELD,
            Input.RESTARTED,
        ),
        **_stay(state, Refusal.HUMAN_OVERRIDE, Input.OVERRULED),
        **_stay(state, Refusal.COOLDOWN, Input.COOLING),
        Input.STOP_CONFIRMED: _go(State.STOPPED, Ask.SETTLE),
        Input.STOP_OVERDUE: _go(state, Ask.RETRY),
        Input.STOP_UNCONFIRMED: _go(state, Ask.UNCONFIRMED),
        **_stay(state, Refusal.NOT_STOPPED, Input.STILL_RUNNING),
        Input.ANSWER_OVERDUE: _go(state, Ask.REPEAT),
        Input.STALE: _go(State.CLEAR, Ask.CLOSE_UNANSWERED),
        **_stay(state, Refusal.NOT_SUPPRESSED, Input.SUPPRESSION_OVER, Input.ORDER_RESUME),
        Input.ENDED: _go(state),
        Input.ORDER_TAKEDOWN: _go(state, Ask.RETRY),
        Input.ORDER_RELEASE: _TAKE_BACK,
        Input.ORDER_SUPPRESS: _go(State.SUPPRESSED, Ask.REVERSE, Ask.CLOSE_REJECTED),
        Input.VERDICT_TRUE: _go(state, Ask.REFER),
        Input.VERDICT_FALSE: _TAKE_BACK,
        Input.ACKNOWLEDGED: _go(state),
        Input.ASSIGNED: _go(state),
        Input.WIDENED: _go(state, Ask.WIDEN),
    }


def _stopped() -> _Row:
    state = State.STOPPED
    return {
        Input.CALM: _go(state),
        Input.STIRRING: _go(state),
        **_stay(
            state,
            Refusal.ALREADY_STOPPED,
            Input.SUSPECT,
            Input.ATTACK,
            Input.ATTACK_HELD,
            Input.STOP_CONFIRMED,
            Input.STOP_OVERDUE,
            Input.STOP_UNCONFIRMED,
            Input.RESTARTED,
            Input.ORDER_TAKEDOWN,
        ),
        **_stay(state, Refusal.HUMAN_OVERRIDE, Input.OVERRULED),
        **_stay(state, Refusal.COOLDOWN, Input.COOLING),
        Input.STILL_RUNNING: _go(State.TAKEDOWN_REQUESTED, Ask.ESCALATE, Ask.TAKE_DOWN),
        Input.ANSWER_OVERDUE: _go(state, Ask.REPEAT),
        Input.STALE: _go(State.CLEAR, Ask.CLOSE_UNANSWERED),
        **_stay(state, Refusal.NOT_SUPPRESSED, Input.SUPPRESSION_OVER, Input.ORDER_RESUME),
        Input.ENDED: _go(state),
        Input.ORDER_RELEASE: _TAKE_BACK,
        Input.ORDER_SUPPRESS: _go(State.SUPPRESSED, Ask.REVERSE, Ask.CLOSE_REJECTED),
        Input.VERDICT_TRUE: _go(state, Ask.REFER, Ask.SETTLE),
        Input.VERDICT_FALSE: _TAKE_BACK,
        Input.ACKNOWLEDGED: _go(state),
        Input.ASSIGNED: _go(state),
        Input.WIDENED: _go(state, Ask.WIDEN),
    }


def _overridden(state: State) -> _Row:
    """A person spoke last: released or suppressed."""
    return {
        Input.CALM: _go(state),
        Input.STIRRING: _go(state),
        **_stay(
            state,
            Refusal.HUMAN_OVERRIDE,
            Input.SUSPECT,
            Input.ATTACK,
            Input.ATTACK_HELD,
            Input.OVERRULED,
            Input.COOLING,
            Input.STILL_RUNNING,
            Input.RESTARTED,
        ),
        **_stay(
            state,
            Refusal.NOTHING_REQUESTED,
            Input.STOP_CONFIRMED,
            Input.STOP_OVERDUE,
            Input.STOP_UNCONFIRMED,
        ),
        **_stay(
            state,
            Refusal.NOTHING_OPEN,
            Input.ANSWER_OVERDUE,
            Input.STALE,
            Input.ACKNOWLEDGED,
            Input.ASSIGNED,
            Input.WIDENED,
        ),
        **_stay(state, Refusal.NOT_SUPPRESSED, Input.SUPPRESSION_OVER),
        Input.ENDED: _go(state),
        Input.ORDER_TAKEDOWN: _ORDERED_DOWN,
        **_stay(state, Refusal.ALREADY_RELEASED, Input.ORDER_RELEASE, Input.VERDICT_FALSE),
        Input.ORDER_SUPPRESS: _go(State.SUPPRESSED),
        Input.ORDER_RESUME: _go(State.CLEAR),
        Input.VERDICT_TRUE: _TAKE_DOWN,
    }


_ROWS: dict[State, _Row] = {
    State.CLEAR: _quiet(State.CLEAR),
    State.WATCHING: _quiet(State.WATCHING),
    State.ESCALATED: _escalated(),
    State.TAKEDOWN_REQUESTED: _requested(),
    State.STOPPED: _stopped(),
    State.RELEASED: {
        **_overridden(State.RELEASED),
        # Only evidence of a higher grade than was released comes here as such.
        Input.SUSPECT: _go(State.ESCALATED, Ask.ESCALATE),
        Input.ATTACK: _TAKE_DOWN,
        Input.ATTACK_HELD: _HELD,
    },
    State.SUPPRESSED: {
        **_overridden(State.SUPPRESSED),
        Input.SUPPRESSION_OVER: _go(State.CLEAR),
        Input.ORDER_RELEASE: _go(State.RELEASED),
    },
}

TRANSITIONS: dict[tuple[State, Input], Transition] = {
    (state, given): transition for state, row in _ROWS.items() for given, transition in row.items()
}

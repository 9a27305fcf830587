"""What a stream can be, what can happen to it, what is asked for and what is refused. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a stream stands."""

    CLEAR = "clear"
    WATCHING = "watching"
    ESCALATED = "escalated"
    TAKEDOWN_REQUESTED = "takedown-requested"
    STOPPED = "stopped"
    RELEASED = "released"
    SUPPRESSED = "suppressed"


class Input(StrEnum):
    """What can happen to a stream, as far as decisions go."""

    CALM = "calm"
    """No rule holds."""
    STIRRING = "stirring"
    SUSPECT = "suspect"
    """A rule that escalates holds."""
    ATTACK = "attack"
    """A rule that takes down holds."""
    ATTACK_HELD = "attack-held"
    """The same, while takedowns are held back by the breaker or a kill switch."""
    OVERRULED = "overruled"
    """Evidence no stronger than what a person released the stream with."""
    COOLING = "cooling"
    """A rule that acted on the stream not long ago."""
    STOP_CONFIRMED = "stop-confirmed"
    STOP_OVERDUE = "stop-overdue"
    """No answer in time or a failure, and it may be asked again."""
    STOP_UNCONFIRMED = "stop-unconfirmed"
    """The same, and it has been asked often enough."""
    STILL_RUNNING = "still-running"
    """Frames are sampled after the stop was confirmed."""
    RESTARTED = "restarted"
    """A stream starts whose account, or which itself, was taken down."""
    ANSWER_OVERDUE = "answer-overdue"
    STALE = "stale"
    """Nothing was heard of an incident for as long as the policy waits."""
    SUPPRESSION_OVER = "suppression-over"
    ENDED = "ended"
    ORDER_TAKEDOWN = "order-takedown"
    ORDER_RELEASE = "order-release"
    ORDER_SUPPRESS = "order-suppress"
    ORDER_RESUME = "order-resume"
    VERDICT_TRUE = "verdict-true"
    VERDICT_FALSE = "verdict-false"
    ACKNOWLEDGED = "acknowledged"
    """A person has seen the incident and works on it."""


class Ask(StrEnum):
    """What a transition asks for; how it becomes an event is in ``effects``."""

    ESCALATE = "escalate"
    """Opens the incident, or reopens it."""
    WORSEN = "worsen"
    """Tells people that an open incident got graver; nothing where it has not."""
    REPEAT = "repeat"
    """Nobody answered: raise it again, more widely."""
    UNCONFIRMED = "unconfirmed"
    """Tells people that the stream may still run."""
    TAKE_DOWN = "take-down"
    RETRY = "retry"
    """The same takedown again, word for word."""
    REFER = "refer"
    """Prepare the law-enforcement referral; once an incident, and where the policy has a route."""
    REVERSE = "reverse"
    CLOSE_REJECTED = "close-rejected"
    CLOSE_UNANSWERED = "close-unanswered"
    SETTLE = "settle"
    """Close as confirmed once a person has said so and the stop is confirmed."""


class Refusal(StrEnum):
    """Why something is deliberately not done."""

    ALREADY_ESCALATED = "already-escalated"
    ALREADY_REQUESTED = "already-requested"
    ALREADY_STOPPED = "already-stopped"
    ALREADY_RELEASED = "already-released"
    COOLDOWN = "cooldown"
    HELD_BACK = "held-back"
    HUMAN_OVERRIDE = "human-override"
    NOTHING_REQUESTED = "nothing-requested"
    NOTHING_OPEN = "nothing-open"
    NOT_SUPPRESSED = "not-suppressed"
    NOT_STOPPED = "not-stopped"
    NO_EVIDENCE = "no-evidence"
    UNKNOWN_COMMAND = "unknown-command"
    UNKNOWN_TAKEDOWN = "unknown-takedown"
    EXPIRED = "expired"
    NO_REASON = "no-reason"
    UNKNOWN_SCOPE = "unknown-scope"
    NO_TIME_LIMIT = "no-time-limit"

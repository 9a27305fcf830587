"""What a person can order, of a stream or of a scope, as data. Pure.

The words of each command are those of the wire (``OperatorCommanded.command``); a test holds them
equal to those that the decision knows. What an order would lead to is in ``consequences``, what was
filled in for one is read by ``forms``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .access.roles import Permission


class Field(StrEnum):
    """What a person is asked for besides the reason, which every order asks for."""

    LASTS = "lasts"
    """How long from now."""
    ASSIGNEE = "assignee"
    """Whom the incident is given to."""
    SCOPE = "scope"
    """``all``, ``region:XX`` or ``policy:NAME``."""


@dataclass(frozen=True, slots=True)
class Order:
    """One kind of order."""

    command: str
    label: str
    """What its button says; an imperative."""
    does: str
    """What it is for, in a sentence, whatever it is ordered of."""
    not_done: str
    """What somebody might expect of it that it does not do."""
    undo: str
    """How it can be taken back."""
    fields: tuple[Field, ...] = ()
    grave: bool = False
    """Whether people outside notice it at once."""
    of_scope: bool = False
    whatever_session: bool = False
    """Whether it is of the stream as it is when the order is read, and not of what somebody saw."""

    @property
    def permission(self) -> Permission:
        return Permission.CONTROL if self.of_scope else Permission.ACT


_OF_STREAMS = (
    Order(
        "takedown",
        "Take down",
        "The stream is to be stopped now, whatever the policy makes of it.",
        "It is no verdict: nothing is prepared for the police, and the incident stays open.",
        "Release takes it back. Viewers who left do not come back by themselves.",
        grave=True,
        whatever_session=True,
    ),
    Order(
        "release",
        "Release",
        "The stream goes on, and nothing is done about evidence no graver than what there is now.",
        "It does not switch the watching off: graver evidence, of frames that come after this, "
        "is acted on.",
        "Take down stops the stream, resume lifts the release without stopping anything.",
    ),
    Order(
        "suppress",
        "Suppress",
        "Nothing is decided about the stream for a time, whatever is seen in it.",
        "It does not stop frames from being judged: what is seen shows here, and nobody is paged.",
        "Resume ends it at once; it ends by itself when the time is over.",
        fields=(Field.LASTS,),
        grave=True,
        whatever_session=True,
    ),
    Order(
        "resume",
        "Resume",
        "A release or a suppression ends, and the policy decides about the stream again.",
        "It does not take the stream down; what is seen from now on may.",
        "Release or suppress the stream again.",
        whatever_session=True,
    ),
    Order(
        "verdict-true",
        "Confirm as an attack",
        "You have looked, and it is a real attack.",
        "It tells the police nothing by itself: a referral is prepared, and a person sends it.",
        "Release, or the verdict that it is none, takes the takedown back. "
        "That you confirmed it stays on record.",
        grave=True,
    ),
    Order(
        "verdict-false",
        "Reject: not an attack",
        "You have looked, and it is no attack.",
        "It teaches no model anything by itself; the verdict is on record for those who train one.",
        "Take down, or confirm it as an attack.",
    ),
    Order(
        "acknowledge",
        "Acknowledge",
        "You have the incident in hand: it is not raised again for want of an answer, and the "
        "verdict on it is yours.",
        "It decides nothing about the stream: a takedown goes on, and so does the stream.",
        "Assign it to somebody else, or to nobody.",
    ),
    Order(
        "assign",
        "Assign",
        "The incident is in the hand of whom you name, or of nobody: then it is waited for "
        "again, and raised again unless somebody answers.",
        "It pages nobody, and decides nothing about the stream.",
        "Assign it anew.",
        fields=(Field.ASSIGNEE,),
    ),
    Order(
        "escalate",
        "Escalate",
        "The incident is raised again, as one that is graver, to all whom the policy names for "
        "that and for incidents that nobody answers.",
        "It decides nothing about the stream, and takes the incident out of nobody's hand.",
        "Not at all: who was told was told. Say so in what you order next.",
    ),
)

_OF_SCOPES = (
    Order(
        "hold-takedowns",
        "Hold takedowns",
        "The kill switch: what the policy would take down is put before people instead.",
        "It takes nothing back that was taken down, and stops no takedown that a person orders. "
        "Streams whose region is not known are in no region's scope.",
        "Lift the hold; it ends by itself when the time is over.",
        fields=(Field.SCOPE, Field.LASTS),
        grave=True,
        of_scope=True,
    ),
    Order(
        "lift-hold",
        "Lift the hold",
        "The policy takes streams of the scope down again.",
        "It lifts no hold of another scope, and does not close the breaker. "
        "What was put before people meanwhile stays with them.",
        "Hold takedowns again.",
        fields=(Field.SCOPE,),
        grave=True,
        of_scope=True,
    ),
    Order(
        "trip-breaker",
        "Trip the breaker",
        "Takedowns become escalations everywhere, as when there were too many to be true.",
        "It takes nothing back that was taken down, and stops no takedown that a person orders.",
        "Close the breaker; it closes by itself when the time is over.",
        fields=(Field.LASTS,),
        grave=True,
        of_scope=True,
    ),
    Order(
        "close-breaker",
        "Close the breaker",
        "The policy takes streams down again, and takedowns are counted anew from now on.",
        "It lifts no hold. What was put before people meanwhile stays with them.",
        "Trip the breaker.",
        grave=True,
        of_scope=True,
    ),
)

DRILL = Order(
    "drill",
    "Start a drill",
    "A marked stream is sent through production, from its first frame to the decision: it is "
    "judged, shown, escalated and taken down like any other, each time marked as a drill.",
    "Nothing outside acts on it: no takedown service stops anything, and it counts towards no "
    "breaker. Whoever is paged is paged, and reads that it is a drill.",
    "Stop it; it ends by itself within two minutes. What was paged meanwhile was paged.",
    of_scope=True,
)
STOP_DRILL = Order(
    "stop-drill",
    "Stop the drill",
    "No more of the drill's frames are sent, and its stream ends.",
    "It closes no incident: reject the drill's as you would any other.",
    "Start another.",
    of_scope=True,
)
"""These two are no commands: the decision has nothing to do with them (``schemas.drills``)."""

ORDERS: dict[str, Order] = {it.command: it for it in (*_OF_STREAMS, *_OF_SCOPES)}
"""By command; those of streams first, in the order in which people are offered them."""
OF_STREAMS = tuple(it.command for it in _OF_STREAMS)
OF_SCOPES = tuple(it.command for it in _OF_SCOPES)

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Answer the incident",
        ("acknowledge", "assign", "escalate", "verdict-true", "verdict-false"),
    ),
    ("Stop the stream", ("takedown",)),
    ("Let it go on", ("release", "suppress", "resume")),
)
"""The orders of streams by what somebody is about to do, as a stream's page offers them."""

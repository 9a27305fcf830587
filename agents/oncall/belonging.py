"""Which events of a stream are of one session of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from schemas import CommandAnswered, Event

from .bounds import bounded_id

Belongs = Callable[[Event], bool]


def belongs_to(session_id: str, events: Iterable[Event]) -> Belongs:
    """Whether one of ``events`` is of the session, as the view bounds its id; all of them are where
    that is empty.

    An order may name no session, as it is of whichever the stream has: its answer says which that
    was. One that is not answered is of none that is known.
    """
    if not session_id:
        return lambda _: True
    answered = {it.command_id: it.session_id for it in events if isinstance(it, CommandAnswered)}

    def belongs(event: Event) -> bool:
        named = getattr(event, "session_id", "")
        if not named:
            named = answered.get(getattr(event, "command_id", ""), "")
        return bounded_id(named) == session_id

    return belongs

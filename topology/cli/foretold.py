"""What an order would do, said before it is given: as the on-call view foretells it, or, where it
goes straight to Kafka, as far as it is known without how things stand."""

from __future__ import annotations

import click

from agents.decision.commands import OF_SCOPES, OF_THE_BREAKER
from agents.decision.moments import told
from agents.oncall.consequences import LOCKED
from agents.oncall.handles import handle_of
from agents.oncall.orders import ORDERS
from schemas import OperatorCommanded

from ..api_client import Api, part
from ..api_orders import Foretold
from ..watch import printable

_OF_A_STREAM = (
    "A person's word outranks the policy's decisions; of several people's, the newest that is not "
    "refused counts."
)
_HELD = "While somebody else has the incident in hand it is refused: take it over first."
_OF_A_SCOPE = (
    "Of the orders about one scope the newest counts, whether it holds or lifts. Scopes do not "
    "lift each other's: a stream's takedowns are held as long as any scope that it is in is."
)
_OF_THE_BREAKER = (
    "Of what trips the breaker, what keeps it open longest counts; closing it ends all that "
    "tripped it before. Holds are apart from it: neither lifts the other."
)


def foretell(api: Api, command: OperatorCommanded) -> None:
    """Say what the view expects of ``command``. Raises ``ApiUnreachable``, ``ApiRefused``."""
    if command.stream_id:
        where = f"/api/v1/streams/{handle_of(command.stream_id)}/orders"
        would = api.get(f"{where}/{part(command.command)}", Foretold)
    else:
        takes_one = command.command not in OF_THE_BREAKER
        asked = {"scope": command.scope} if takes_one else {}
        where = f"/api/v1/control/orders/{part(command.command)}"
        would = api.get(where, Foretold, **asked)
    say(would)
    if command.session_id not in ("", would.session_id):
        _tell(f"that is of the stream's newest session, {would.session_id or 'not known'}")


def say(would: Foretold) -> None:
    """Say what is foretold, beside what a program reads."""
    for sentence in would.follows:
        _tell(sentence)
    if would.refusal:
        _tell(f"likely to be refused: {would.refusal}")
    if would.already:
        _tell(f"likely to change nothing: {would.already}")


def foretell_alone(command: OperatorCommanded) -> None:
    """Say what is known of ``command`` whatever it meets: what it is for, of what, for how long,
    and what it outranks."""
    order = ORDERS[command.command]
    _tell(order.does)
    _tell(order.not_done)
    _tell(f"It is of {_about(command)}.")
    if command.until:
        _tell(f"It lasts until {told(command.until)}, or as long as the policy allows.")
    else:
        _tell("It is for no time.")
    _tell(f"To undo it: {order.undo}")
    for rule in _precedence(command.command):
        _tell(rule)
    _tell("How things stand is not known here: with FIREBREAK_API_URL, what follows is told too.")


def _about(command: OperatorCommanded) -> str:
    if not command.stream_id:
        return "all streams" if command.scope == "all" else f"the scope {command.scope}"
    session = command.session_id
    which = f"session {session}" if session else "whichever session it has when this is read"
    return f"stream {command.stream_id}, {which}"


def _precedence(command: str) -> list[str]:
    if command in OF_THE_BREAKER:
        return [_OF_THE_BREAKER]
    if command in OF_SCOPES:
        return [_OF_A_SCOPE]
    return [_OF_A_STREAM, _HELD] if command in LOCKED else [_OF_A_STREAM]


def _tell(sentence: str) -> None:
    click.echo(printable(sentence), err=True)

"""``firebreak override``: a person's order, which outranks the machine's decisions."""

from __future__ import annotations

import time
import uuid

import click

from agents.decision.commands import (
    LIMITED,
    OF_SCOPES,
    OF_THE_BREAKER,
    Command,
    ScopeKind,
    read_scope,
)
from agents.decision.grammar import DURATION
from schemas import MICROSECONDS, OperatorCommanded

from ..api_client import open_api
from ..api_orders import order, wait_for
from ..broker import resolve_bootstrap
from ..kafka_config import librdkafka_config
from ..override import send, send_and_wait
from ..settings import load_settings
from ..wire import build_codec
from .foretold import foretell, foretell_alone
from .ordered import SAID, TIMEOUT, became, tell

_SCOPES = "all, region:XX (ISO 3166-1 alpha-2) or policy:NAME"


class _Duration(click.ParamType):
    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            microseconds: int = DURATION.convert(value)
        except ValueError:
            self.fail(f"expected {DURATION.expects}, found {value!r}", param, ctx)
        return microseconds


DURATION_TYPE = _Duration()
_MINUTE = 60 * MICROSECONDS


@click.command()
@click.argument("words", nargs=-1, metavar="[STREAM] COMMAND")
@click.option("--scope", help=f"What is ordered, instead of a stream: {_SCOPES}.")
@click.option("--session", default="", help="Of the stream.  [default: the newest]")
@click.option("--reason", required=True, type=SAID, help="Why; it is on record.")
@click.option(
    "--operator", type=SAID,
    help="Pseudonym of who orders it; through the on-call view, the token says who.",
)  # fmt: skip
@click.option("--to", "assignee", help="Whom `assign` gives the incident to; empty for nobody.")
@click.option("--until", "lasts", type=DURATION_TYPE, help="For how long from now, as in 2h.")
@click.option(
    "--timeout", type=TIMEOUT, default=30.0, show_default=True,
    help="Seconds to wait for what became of it.",
)  # fmt: skip
@click.option("--no-wait", is_flag=True, help="End as soon as it is sent.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
def override(
    *,
    words: tuple[str, ...],
    scope: str | None,
    session: str,
    reason: str,
    operator: str | None,
    assignee: str | None,
    lasts: int | None,
    timeout: float,
    no_wait: bool,
    dry_run: bool,
) -> None:
    """Order something of a STREAM, or with --scope of all takedowns: say what it will do, do it,
    and say what became of it.

    \b
    Of a stream:  takedown, release, suppress (--until), resume, verdict-true,
                  verdict-false, acknowledge, assign (--to), escalate
    Of a scope:   hold-takedowns (--until), lift-hold
    Of all:       trip-breaker (--until), close-breaker

    While takedowns are held, or the breaker is open, streams are put before people instead. Those
    whose region is not known are in no region's scope. Exits with 1 where the order was refused,
    could not be sent or was not answered in time.

    It goes through the on-call view where FIREBREAK_API_URL and FIREBREAK_API_TOKEN are set, and
    straight to Kafka otherwise: then how things stand is not known before.
    """
    stream, ordered = _read_words(words, scope, session)
    if (ordered in LIMITED) != (lasts is not None):
        which = "needs" if ordered in LIMITED else "has no"
        raise click.UsageError(f"{ordered} {which} --until")
    if (ordered is Command.ASSIGN) != (assignee is not None):
        which = "needs" if ordered is Command.ASSIGN else "has no"
        raise click.UsageError(f"{ordered} {which} --to")
    settings = load_settings()
    api = open_api(settings)
    if (api is None) != (operator is not None):
        if api is None:
            raise click.UsageError("Missing option '--operator'.")
        raise click.UsageError("FIREBREAK_API_TOKEN says who you are: --operator can't")
    now = time.time_ns() // 1000
    command = OperatorCommanded(
        command_id=str(uuid.uuid4()),
        command=ordered,
        operator=operator or "",
        reason=reason,
        issued_at=now,
        stream_id=stream,
        session_id=session,
        scope=scope or "",
        until=now + lasts if lasts is not None else 0,
        assignee=(assignee or "").strip(),
    )
    body = _body(command, lasts) if api is not None else {}
    if api is not None:
        foretell(api, command)
    else:
        foretell_alone(command)
    if dry_run:
        return
    if api is not None:
        given = order(api, stream, body)
        if no_wait:
            click.echo(f"sent: order {given.order_id}")
        else:
            tell(wait_for(api, given, timeout))
        return
    config = librdkafka_config(settings, resolve_bootstrap(settings))
    codec = build_codec(settings)
    if no_wait:
        send(config, codec, command)
        click.echo(f"sent: order {command.command_id}")
        return
    tell(became(command, send_and_wait(config, codec, command, timeout)))


def _body(command: OperatorCommanded, lasts: int | None) -> dict[str, str]:
    """``command`` as the on-call view takes it, which counts in minutes."""
    if lasts is not None and lasts % _MINUTE:
        raise click.UsageError("through the on-call view, --until is in whole minutes")
    said = {
        "order_id": command.command_id,
        "command": command.command,
        "reason": command.reason,
        "session_id": command.session_id,
        "scope": command.scope,
        "assignee": command.assignee,
        "lasts": f"{lasts // _MINUTE} min" if lasts is not None else "",
    }
    return {name: what for name, what in said.items() if what}


def _read_words(words: tuple[str, ...], scope: str | None, session: str) -> tuple[str, Command]:
    """The stream, empty where a scope is ordered, and the command."""
    *streams, named = words or ("",)
    if named not in set(Command):
        raise click.UsageError(f"the command is one of {', '.join(Command)}, not {named!r}")
    ordered = Command(named)
    if scope is None:
        if ordered in OF_SCOPES:
            raise click.UsageError(f"{ordered} is of a scope: say --scope")
        if len(streams) != 1 or not streams[0]:
            raise click.UsageError(f"{ordered} needs one stream before it")
        return streams[0], ordered
    if ordered not in OF_SCOPES:
        raise click.UsageError(f"{ordered} is of a stream and not of a scope")
    if streams or session:
        raise click.UsageError("--scope is instead of a stream and its session")
    known = read_scope(scope)
    if known is None:
        raise click.UsageError(f"--scope is {_SCOPES}, not {scope!r}")
    if ordered in OF_THE_BREAKER and known.kind is not ScopeKind.ALL:
        raise click.UsageError(f"{ordered} is of all: there is one breaker")
    return "", ordered

"""``firebreak incidents``: the queue of incidents, and acting on one, through the on-call view."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import click
import msgspec

from agents.oncall.orders import OF_STREAMS, ORDERS, Field, Order
from schemas import MICROSECONDS

from ..api_client import Api, ApiUnreachable, open_api, part
from ..api_orders import Foretold, order_stream, wait_for
from ..incident.records import utc
from ..settings import load_settings
from ..watch import printable
from .foretold import say
from .ordered import SAID, TIMEOUT, tell


class _Incident(msgspec.Struct, frozen=True):
    incident_id: str
    handle: str
    stream_id: str
    session_id: str
    severity: str
    state: str
    opened_at: int
    answer_by: int | None
    held_by: str
    rule: str
    explanation: str
    drill: bool
    closed_at: int | None
    outcome: str


class _Incidents(msgspec.Struct, frozen=True):
    total: int
    incidents: list[_Incident]


class _One(msgspec.Struct, frozen=True):
    incident: _Incident


@click.group()
def incidents() -> None:
    """Show incidents, and act on one, through the on-call view.

    FIREBREAK_API_URL says where it is, FIREBREAK_API_TOKEN who asks. Without it,
    `firebreak incident list` reads the open incidents from Kafka.
    """


@incidents.command("list")
@click.option("--closed", is_flag=True, help="Those closed in the last 7 days instead.")
@click.option("--severity", type=click.Choice(["critical", "high", "elevated"]))
@click.option("--held", type=click.Choice(["me", "nobody"]), help="In whose hand they are.")
def list_incidents(*, closed: bool, severity: str | None, held: str | None) -> None:
    """Print the incidents, the most urgent first."""
    asked = {"severity": severity, "held": held, "closed": "true" if closed else None}
    query = {name: value for name, value in asked.items() if value is not None}
    found = _api().get("/api/v1/incidents", _Incidents, **query)
    for it in found.incidents:
        click.echo(_line(it))
    if not found.incidents:
        click.echo("no such incidents", err=True)
    if found.total > len(found.incidents):
        click.echo(f"{found.total - len(found.incidents)} more", err=True)


@incidents.command()
@click.argument("incident_id", metavar="ID")
def show(incident_id: str) -> None:
    """Print incident ID: where it stands, and why."""
    it = _found(_api(), incident_id)
    click.echo(_line(it))
    click.echo(printable(f"stream {it.stream_id}  session {it.session_id}"))
    click.echo(printable(f"{it.rule}: {it.explanation}"))


def _acting(order: Order) -> click.Command:
    """The command that gives ``order`` about an incident."""

    def act(
        incident_id: str,
        reason: str,
        *,
        timeout: float,
        dry_run: bool,
        lasts: str = "",
        assignee: str = "",
    ) -> None:
        api = _api()
        it = _found(api, incident_id)
        where = f"/api/v1/streams/{it.handle}/orders/{order.command}"
        would = api.get(where, Foretold, incident_id=it.incident_id)
        say(would)
        if dry_run:
            return
        body = {
            "command": order.command,
            "reason": reason,
            "lasts": lasts,
            "assignee": assignee,
            "incident_id": it.incident_id,
            "session_id": would.session_id,
            "order_id": str(uuid.uuid4()),
        }
        given = order_stream(api, it.handle, body)
        tell(wait_for(api, given, timeout))

    parameters: list[click.Parameter] = [
        click.Argument(["incident_id"], metavar="ID"),
        click.Option(["--reason"], required=True, type=SAID, help="Why; it is on record."),
        click.Option(["--timeout"], type=TIMEOUT, default=30.0, show_default=True,
                     help="Seconds to wait for what became of it."),
        click.Option(["--dry-run"], is_flag=True, help="Say what it would do, and do nothing."),
    ]  # fmt: skip
    if Field.LASTS in order.fields:
        parameters.append(
            click.Option(["--lasts"], required=True, help="For how long, as in 30min, 4h, 2days.")
        )
    if Field.ASSIGNEE in order.fields:
        parameters.append(
            click.Option(
                ["--to", "assignee"], required=True, help="Pseudonym; empty gives it back."
            )
        )
    help_text = f"{order.does}\n\n{order.not_done}\n\nTo undo it: {order.undo}"
    return click.Command(order.command, callback=act, params=parameters, help=help_text)


for _command in OF_STREAMS:
    incidents.add_command(_acting(ORDERS[_command]))


def _api() -> Api:
    api = open_api(load_settings())
    if api is None:
        raise ApiUnreachable(
            "FIREBREAK_API_URL is not set; `firebreak incident list` reads the open incidents "
            "from Kafka"
        )
    return api


def _found(api: Api, incident_id: str) -> _Incident:
    return api.get(f"/api/v1/incidents/{part(incident_id)}", _One).incident


def _line(it: _Incident, clock: Callable[[], float] = time.time) -> str:
    if it.closed_at is not None:
        stands = f"closed {utc(it.closed_at)}: {it.outcome}"
    elif it.held_by:
        stands = f"in hand of {it.held_by}"
    elif it.answer_by is None:
        stands = "not waited for"
    else:
        left = it.answer_by / MICROSECONDS - clock()
        stands = f"{left:.0f} s left to answer" if left >= 0 else f"overdue for {-left:.0f} s"
    parts = (
        it.incident_id,
        it.severity or "-",
        it.stream_id,
        *(["DRILL"] if it.drill else ()),
        it.state,
        f"opened {utc(it.opened_at)}",
        stands,
        it.rule,
    )
    return printable("  ".join(parts))

"""What commands that give an order have in common: what they ask for, how they tell the outcome."""

from __future__ import annotations

import click

from agents.decision.moments import told
from schemas import CommandAnswered, OperatorCommanded

from ..api_orders import Became
from ..watch import printable

TIMEOUT = click.FloatRange(min=0, min_open=True)
"""Seconds."""


class _Said(click.ParamType):
    """What must say something."""

    name = "text"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value).strip()
        if not text:
            self.fail("it must not be empty", param, ctx)
        return text


SAID = _Said()


def became(command: OperatorCommanded, answer: CommandAnswered) -> Became:
    """What Kafka says that became of ``command``, as the on-call view tells it."""
    return Became(
        order_id=command.command_id,
        phase="",
        final=True,
        command=answer.command,
        stream_id=answer.stream_id,
        session_id=answer.session_id,
        scope=answer.scope,
        until=command.until or None,
        refusal="" if answer.applied else answer.refusal,
        state_before=answer.state_before,
        state_after=answer.state_after,
        incident_id=answer.incident_id,
        held_by=answer.held_by,
    )


def tell(order: Became) -> None:
    """Print what became of it. Raises ``ClickException`` where it was refused."""
    about = order.stream_id or order.scope
    if order.session_id:
        about += f", session {order.session_id}"
    if order.refusal:
        why = f"{order.refusal}: {order.refusal_told}" if order.refusal_told else order.refusal
        raise click.ClickException(printable(f"refused: {order.command} of {about}: {why}"))
    parts = [f"applied: {order.command} of {about}"]
    if order.state_after:
        parts.append(f"{order.state_before} -> {order.state_after}")
    if order.until:
        parts.append(f"until {told(order.until)}, or as long as the policy allows")
    if order.held_by:
        parts.append(f"in hand of {order.held_by}")
    if order.incident_id:
        parts.append(f"incident {order.incident_id}")
    click.echo(printable("  ".join(parts)))

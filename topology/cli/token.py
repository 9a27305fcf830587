"""``firebreak token``: what people and programs sign in to the on-call page with."""

from __future__ import annotations

import re

import click

from agents.oncall.access.roles import Person, Role
from agents.oncall.access.tokens import NameUnfit, Tokens, checked_name
from schemas import MICROSECONDS

from ..access import bearer, build_tokens, new_web_key, one_time_link, web_key_file
from ..errors import OperatorError
from ..settings import Settings, load_settings

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_LASTS = re.compile(rf"([1-9][0-9]{{0,4}})([{''.join(_UNITS)}])")
_LONGEST_DAYS = 366


class TokenUnmade(OperatorError):
    """There is no key to sign a token with."""


class _Lasting(click.ParamType):
    """Microseconds, from ``30m``, ``12h`` or ``90d``."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = _LASTS.fullmatch(str(value))
        if found is None:
            self.fail("say for how long, such as 30m, 12h or 90d", param, ctx)
        seconds = int(found[1]) * _UNITS[found[2]]
        if seconds > _LONGEST_DAYS * _UNITS["d"]:
            self.fail(f"{_LONGEST_DAYS} days at most", param, ctx)
        return seconds * MICROSECONDS


@click.group()
def token() -> None:
    """Make tokens by which people and programs sign in to the on-call page.

    They are signed with FIREBREAK_WEB_KEY, which all workers have. A token can't be taken back
    before it expires but by another key, so let it be good for no longer than it is needed.
    """


@token.command()
def key() -> None:
    """Print a new key for FIREBREAK_WEB_KEY.

    To rotate, start the workers with the new one, and the old one as FIREBREAK_WEB_KEY_PREVIOUS.
    Drop that when what it signed has expired, or at once if it became known to somebody.
    """
    click.echo(new_web_key())


@token.command()
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", required=True, help="Who it is for: a pseudonym, which the audit shows.")
@click.option("--lasts", type=_Lasting(), default="12h", show_default=True, help="30m, 12h, 90d.")
@click.option("--once", is_flag=True, help="A link that signs in once, within ten minutes.")
@click.option("--url", help="Where the on-call page is, for the link; this machine's otherwise.")
def create(role: str, name: str, lasts: int, once: bool, url: str | None) -> None:
    """Print a token for NAME, or with --once a link.

    Programs send it as `Authorization: Bearer TOKEN`; people give it on the sign-in page, and stay
    signed in for 12 hours at most. Who has it is NAME: hand it over as you would a password.
    """
    settings = load_settings()
    tokens = _tokens(settings)
    try:
        person = Person(checked_name(name), Role(role))
    except NameUnfit as error:
        raise click.BadParameter(str(error), param_hint="--name") from error
    if once:
        url = url or f"http://{settings.web_host}:{settings.web_port}"
        click.echo(one_time_link(tokens, person, url))
    else:
        click.echo(bearer(tokens, person, lasts))


def _tokens(settings: Settings) -> Tokens:
    """By the settings' key, or by that of the stack that runs here. Raises ``TokenUnmade``."""
    if (tokens := build_tokens(settings)).on:
        return tokens
    try:
        return Tokens([web_key_file(settings).read_text(encoding="utf-8")])
    except (OSError, ValueError):
        raise TokenUnmade(
            "FIREBREAK_WEB_KEY is not set, and no `firebreak up` runs here that made one; "
            "`firebreak token key` makes one for all workers"
        ) from None

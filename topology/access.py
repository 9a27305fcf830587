"""Who is let in to a worker's web server, by the settings."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from pathlib import Path

from agents.oncall.access.entrance import Entrance
from agents.oncall.access.proxy import Proxies
from agents.oncall.access.rates import Rate
from agents.oncall.access.roles import Person
from agents.oncall.access.tokens import LINK_LASTS, Purpose, Tokens
from agents.oncall.callers import Callers
from agents.oncall.guard import AccessGuard, Limits

from .settings import Settings

_ID_BYTES = 16
_KEY_BYTES = 32
_AT_ONCE = 200


def build_guard(settings: Settings, counts: Counter[str]) -> AccessGuard:
    """The guard of one worker."""
    proxies = Proxies(
        settings.web_proxies,
        settings.web_proxy_user_header,
        settings.web_proxy_groups_header,
        settings.web_proxy_groups_separator,
        settings.web_proxy_roles,
    )
    callers = Callers(Entrance(build_tokens(settings)), proxies, counts)
    limits = Limits(of_person=Rate(settings.web_requests_per_minute, _AT_ONCE))
    return AccessGuard(callers, counts, now_us, limits)


def build_tokens(settings: Settings) -> Tokens:
    """What issues and reads the fleet's tokens; nothing where there is no key."""
    keys = (settings.web_key, settings.web_key_previous)
    return Tokens([key.get_secret_value() for key in keys if key is not None])


def new_web_key() -> str:
    """A key of 256 bits."""
    return secrets.token_urlsafe(_KEY_BYTES)


def web_key_file(settings: Settings) -> Path:
    """Where ``firebreak up`` leaves a key that it made, while it runs."""
    return settings.runtime_dir / "web-key"


def bearer(tokens: Tokens, person: Person, lasts: int) -> str:
    """A token for ``person``, good for ``lasts`` microseconds. Raises ``NameUnfit``."""
    return tokens.issue(Purpose.BEARER, person, now_us() + lasts, secrets.token_urlsafe(_ID_BYTES))


def one_time_link(tokens: Tokens, person: Person, url: str) -> str:
    """Where ``person`` can sign in once, within ten minutes, at the worker at ``url``.

    The token is behind ``#``: browsers send that to nobody. Raises ``NameUnfit``.
    """
    name = secrets.token_urlsafe(_ID_BYTES)
    token = tokens.issue(Purpose.LINK, person, now_us() + LINK_LASTS, name)
    return f"{url.rstrip('/')}/sign-in#{token}"


def now_us() -> int:
    """The wall clock, in microseconds since the epoch."""
    return time.time_ns() // 1000

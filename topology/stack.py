"""Everything on one machine: a broker unless one is configured, the topics, the workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agents.oncall.access.roles import Person
from agents.oncall.access.tokens import Tokens
from schemas.signatures import key_set, new_private_key

from .access import new_web_key, one_time_link, web_key_file
from .app import Role
from .broker import EmbeddedBroker
from .fleet import Fleet
from .settings import Settings
from .topic_admin import apply_topics
from .wire import build_signer

_DECISION_KEYS = "decision-keys.json"


@dataclass
class Stack:
    """What runs. ``check`` has to be called every now and then and raises where it can't go on."""

    bootstrap: str
    fleet: Fleet
    broker: EmbeddedBroker | None
    decision_keys: Path | None
    """The keys that its decisions are signed with, a JSON Web Key Set; none if they are not."""

    web_key: str = field(repr=False)
    """What tokens for its on-call page are signed with."""

    def one_time_link(self, person: Person) -> str:
        """Where ``person`` can sign in, once and within ten minutes."""
        url = self.fleet.web_urls[Role.JUDGEMENT]
        return one_time_link(Tokens([self.web_key]), person, url)

    def check(self) -> list[str]:
        """Mind the broker and the workers; one line for each worker found ended.

        Raises ``BrokerOutOfMemory`` or ``BrokerDied``.
        """
        if self.broker is not None:
            self.broker.check()
        return self.fleet.check()


@contextmanager
def run_stack(settings: Settings) -> Iterator[Stack]:
    """Start all of it, and stop it again in the opposite order. Raises ``SettingsInvalid``."""
    build_signer(settings)  # a key that is none is told before anything starts
    with ExitStack() as running:
        broker = None
        bootstrap = settings.bootstrap_servers
        if bootstrap is None:
            broker = running.enter_context(EmbeddedBroker(settings))
            bootstrap = broker.bootstrap
        apply_topics(settings, bootstrap)
        key = _signing_key(settings)
        web_key = running.enter_context(_web_key(settings))
        environment = {"FIREBREAK_WEB_KEY": web_key}
        if key is not None:
            environment["FIREBREAK_SIGNING_KEY"] = key
        fleet = running.enter_context(Fleet(settings, bootstrap, environment))
        yield Stack(bootstrap, fleet, broker, _told(settings, key), web_key)


@contextmanager
def _web_key(settings: Settings) -> Iterator[str]:
    """The settings' own; else a new one, which all workers of this stack have, and which lies where
    ``firebreak token`` finds it for as long as the stack runs."""
    if settings.web_key is not None:
        yield settings.web_key.get_secret_value()
        return
    key = new_web_key()
    path = web_key_file(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    # Its owner's alone from the beginning.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(key)
    try:
        yield key
    finally:
        path.unlink(missing_ok=True)


def _signing_key(settings: Settings) -> str | None:
    """The settings' own. What an embedded broker holds ends with it, so there a new one will do."""
    if settings.signing_key is not None:
        return settings.signing_key.get_secret_value()
    return new_private_key() if settings.bootstrap_servers is None else None


def _told(settings: Settings, key: str | None) -> Path | None:
    if key is None:
        return None
    path = settings.runtime_dir / _DECISION_KEYS
    settings.runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(key_set([key]), encoding="utf-8")
    return path

"""Everything on one machine: a broker unless one is configured, the topics, the workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.signatures import key_set, new_private_key

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
        environment = {} if key is None else {"FIREBREAK_SIGNING_KEY": key}
        fleet = running.enter_context(Fleet(settings, bootstrap, environment))
        yield Stack(bootstrap, fleet, broker, _told(settings, key))


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

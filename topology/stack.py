"""Everything on one machine: a broker unless one is configured, the topics, the workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from .broker import EmbeddedBroker
from .fleet import Fleet
from .settings import Settings
from .topic_admin import apply_topics


@dataclass
class Stack:
    """What runs. ``check`` has to be called every now and then and raises where it can't go on."""

    bootstrap: str
    fleet: Fleet
    broker: EmbeddedBroker | None

    def check(self) -> list[str]:
        """Mind the broker and the workers; one line for each worker found ended.

        Raises ``BrokerOutOfMemory`` or ``BrokerDied``.
        """
        if self.broker is not None:
            self.broker.check()
        return self.fleet.check()


@contextmanager
def run_stack(settings: Settings) -> Iterator[Stack]:
    """Start all of it, and stop it again in the opposite order."""
    with ExitStack() as running:
        broker = None
        bootstrap = settings.bootstrap_servers
        if bootstrap is None:
            broker = running.enter_context(EmbeddedBroker(settings))
            bootstrap = broker.bootstrap
        apply_topics(settings, bootstrap)
        fleet = running.enter_context(Fleet(settings, bootstrap))
        yield Stack(bootstrap, fleet, broker)

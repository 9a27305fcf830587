"""The on-call view of a worker: what it is read from, and what its orders reach Kafka through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mode import ServiceT

from agents.decision.policies import Policies
from agents.oncall.desk import Desk
from agents.oncall.feed import Feed
from agents.oncall.read_model import ReadModel
from agents.publishing import Publisher
from schemas import Codec

from ..kafka_config import librdkafka_config
from ..settings import Settings
from .drill import DrillRuns, sampling
from .letters import KafkaDeadLetters
from .orders import Orders
from .policies import told
from .sources import EvidenceReading


@dataclass(frozen=True, slots=True)
class View:
    """What pages and operations work with, and the services that have to run for it."""

    desk: Desk
    feed: Feed
    services: tuple[ServiceT, ...]
    """``feed`` among them."""


def build_view(
    settings: Settings,
    bootstrap: str,
    codec: Codec,
    publisher: Publisher,
    kafka: Mapping[str, object],
    *,
    partitions: int,
    policies: Callable[[], Policies],
    held_back: Callable[[], Mapping[str, object]],
) -> View:
    """The view on the brokers at ``bootstrap``, whose topics have ``partitions``.

    ``kafka`` is what aiokafka connects with; ``held_back`` says what holds takedowns back now.
    """
    read_model = ReadModel()
    feed = Feed(read_model, codec, kafka)
    config = librdkafka_config(settings, bootstrap)
    orders = Orders(config, codec)
    drills = DrillRuns(
        settings.drill_clip,
        orders.give,
        sampling(config, codec, settings.max_payload_bytes),
        read_model.drills.is_stopped,
    )
    evidence = EvidenceReading(
        settings, config, codec, partitions=partitions, publisher=publisher, policies=policies
    )
    desk = Desk(
        read_model,
        feed,
        held_back,
        give_order=orders.give,
        policies=lambda: told(policies()),
        drills=drills,
        sources=evidence.sources,
        dead_letters=KafkaDeadLetters(config, codec),
    )
    return View(desk, feed, (feed, orders, drills, evidence))

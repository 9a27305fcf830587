"""The one place that knows everything: builds a Faust app for a role, with its agents on it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import faust
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from agents.aggregation import agent as aggregation
from agents.aggregation.rebuild import History
from agents.aggregation.windows import WindowSpec
from agents.decision import agent as decision
from agents.decision.state_log import StateLog
from agents.detection import agent as detection
from agents.detection.detector import Detector
from agents.detection.shedding import RISK_LASTS
from agents.following import Followed, Follower
from agents.intake import Abort, Intake
from agents.oncall import front, health, web
from agents.publishing import Publisher
from schemas import MICROSECONDS, Codec, RiskAssessed, topics

from .access import build_guard
from .controls import ControlsFollower
from .faust_mend import MendedConsumer
from .fetching import EMBEDDED_WAIT_MS, WAIT_MS
from .kafka_config import faust_credentials, largest_record, librdkafka_config
from .oncall.wiring import build_view
from .policies import PolicyFiles
from .reporter import Reporter, sources_of
from .runs import RunApp, waiting
from .serving import MakeDetector, detection_work
from .settings import Settings

_RUNS_BUFFERED = 8
_REBALANCE_SECONDS = 15.0
"""A detection worker lets its partitions go within ``committing.WORK_SECONDS``. One that has not
by then is left out, and joins again. Those of judgement have Faust's own minute: left out in the
midst of their work they would find their partitions another's, and end."""


class Role(StrEnum):
    """What a worker does. Roles are apart so that a GPU's restart moves nobody else's state."""

    DETECTION = "detection"
    JUDGEMENT = "judgement"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the agents reach the world through; tests pass their own."""

    codec: Codec
    publisher: Publisher
    history: History
    state_log: StateLog
    abort: Abort
    brokers_now: Callable[[], int | None]
    """The brokers' clock, microseconds since the epoch; ``None`` while it is not known."""
    counts: Counter[str] = field(default_factory=Counter)
    written: Mapping[str, int] = field(default_factory=dict)
    """Records by topic, as the publisher counts them."""


def build_app(
    settings: Settings,
    bootstrap: str,
    role: Role,
    ports: Ports,
    partitions: int,
    *,
    embedded: bool = False,
    detector: MakeDetector = Detector,
) -> RunApp:
    """The app of ``role`` for the brokers at ``bootstrap``, whose topics have ``partitions``.

    ``embedded`` says that they are the embedded broker.

    Raises ``SettingsInvalid`` and ``BundleInvalid`` where what the detection role is to judge with
    can't be used.
    """
    wait = EMBEDDED_WAIT_MS if embedded else WAIT_MS
    app = _bare_app(settings, bootstrap, role, partitions, wait)
    ready: list[Callable[[], Mapping[str, bool]]] = [lambda: _progress(app)]
    runs: list[Callable[[], Mapping[str, object]]] = [
        lambda: {"role": role, "partitions": _partitions(app)}
    ]

    def readiness() -> Mapping[str, bool]:
        return {name: met for part in ready for name, met in part().items()}

    guard = build_guard(settings, ports.counts)
    front.register(app, guard)
    health.register(
        app,
        readiness,
        ports.counts,
        lambda: {name: what for part in runs for name, what in part().items()},
        guard,
    )

    reported = sources_of(app, role, ports.counts, ports.written, readiness)
    app.add_dependency(Reporter(reported, ports.publisher))

    def intake(agent: str) -> Intake:
        reported.agents.append(agent)
        return Intake(agent, ports.publisher, ports.abort, ports.counts)

    credentials = credentials_to_aiokafka_auth(faust_credentials(settings))
    kafka = {"bootstrap_servers": bootstrap, **credentials}
    match role:
        case Role.DETECTION:
            detecting = intake("detection")
            work = detection_work(
                settings,
                ports.codec,
                detecting,
                lambda: waiting(app),
                detector,
                brokers_now=ports.brokers_now,
            )
            detection.register(
                app,
                ports.codec,
                work.serving,
                work.detector,
                detecting,
                batching=work.batching,
                sifting=work.sifting,
                claims=work.claims,
            )
            # Its frames can be judged again: nothing of them is remembered here.
            app.giving_up.append(detecting.give_up_waiting)
            followed = {topics.RISK: Followed(RiskAssessed, RISK_LASTS)}
            risks = Follower("risks", followed, work.note_risk, ports.codec, kafka)
            app.add_dependency(work.serving)
            app.add_dependency(risks)
            if work.fetcher is not None:
                app.add_dependency(work.fetcher)
            ready.append(lambda: {"live bundle warm": work.serving.is_warm})
            runs.append(work.status)
            reported.batch = work.size
            reported.tell_of(work.serving.in_force, work.serving.failures, risks.failures)
        case Role.JUDGEMENT:
            spec = WindowSpec()
            policies = PolicyFiles(
                settings.policy, ports.publisher, [it / MICROSECONDS for it in spec.lengths]
            )
            policies.begin()
            following = ControlsFollower(policies.current, ports.codec, kafka)
            windowed = aggregation.register(
                app, ports.codec, ports.history, intake("aggregation"), spec
            )
            deciding = decision.register(
                app,
                ports.codec,
                intake("decision"),
                policies=lambda: policies.current,
                controls=following.controls,
                state_log=ports.state_log,
            )
            app.before_fetching.append(lambda it: deciding.hand_over(it.partitions, it.is_member))
            view = build_view(
                settings,
                bootstrap,
                ports.codec,
                ports.publisher,
                kafka,
                partitions=partitions,
                policies=lambda: policies.current,
                held_back=lambda: _held_back(following, policies),
            )
            web.register(app, view.desk, guard)
            for service in (policies, following, *view.services):
                app.add_dependency(service)
            reported.tell_of(
                policies.in_force, policies.failures, following.failures, view.feed.failures
            )
            ready.append(
                lambda: {
                    "on-call feed caught up": view.feed.caught_up,
                    "controls known": following.fresh,
                }
            )
            runs += [
                policies.status,
                lambda: {"controls": _held_back(following, policies)},
                lambda: {"sessions": {"in windows": windowed(), "remembered": deciding.sessions()}},
            ]
    return app


def _held_back(following: ControlsFollower, policies: PolicyFiles) -> Mapping[str, object]:
    """What holds takedowns back now."""
    return following.controls.status(policies.current.live, time.time_ns() // 1000)


def _partitions(app: faust.App) -> Mapping[str, list[int]]:
    """Which partitions of each topic the app has; none before it takes part in its group."""
    found: dict[str, list[int]] = {}
    if app.rebalancing_count == 0:
        return found
    for tp in sorted(app.consumer.assignment()):
        found.setdefault(tp.topic, []).append(tp.partition)
    return found


def _progress(app: faust.App) -> dict[str, bool]:
    """Whether the app takes part in its group, with its tables recovered."""
    tables = cast(TableManager, app.tables)
    return {
        "partitions assigned": app.rebalancing_count > 0 and not app.rebalancing,
        "state recovered": not app.in_recovery and tables.recovery.completed.is_set(),
        "partitions fetched from": not cast(MendedConsumer, app.consumer).awaits_seek,
    }


def _bare_app(
    settings: Settings, bootstrap: str, role: Role, partitions: int, wait_ms: int
) -> RunApp:
    largest = largest_record(settings)
    left_out = {"broker_rebalance_timeout": _REBALANCE_SECONDS} if role is Role.DETECTION else {}
    return RunApp(
        f"firebreak-{role}",
        librdkafka={
            **librdkafka_config(settings, bootstrap),
            "max.partition.fetch.bytes": largest,
            "fetch.wait.max.ms": wait_ms,
        },
        broker=[f"aiokafka://{server}" for server in bootstrap.split(",")],
        broker_credentials=faust_credentials(settings),
        autodiscover=False,
        store="memory://",
        datadir=str(settings.runtime_dir / role),
        topic_partitions=partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        # Runs, of up to a megabyte: what an agent does not hold itself stays with the brokers.
        stream_buffer_maxsize=_RUNS_BUFFERED,
        stream_wait_empty=True,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=largest,
        producer_max_request_size=largest,
        producer_acks=-1,
        broker_commit_interval=0.5,
        # The shortest that Apache Kafka allows by default: so long waits what a dead worker had.
        broker_session_timeout=6.0,
        # How members learn that the group forms anew: all stand still until the last has joined.
        broker_heartbeat_interval=0.5,
        broker_request_timeout=30.0,
        **left_out,
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        web_tables_enabled=False,
        web_router_enabled=False,
        web_graph_enabled=False,
        web_stats_enabled=False,
    )

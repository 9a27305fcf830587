"""One worker process: a role's app, run by Faust until it is told to stop."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import faust
import uvloop
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    ClusterMetadata,
)

from agents.detection.detector import Detector
from schemas import topics

from .aiokafka_mend import mend_aiokafka
from .app import Ports, Role, build_app
from .broker import is_embedded
from .errors import OperatorError
from .history import KafkaHistory
from .kafka_config import librdkafka_config
from .publisher import KafkaPublisher
from .repeats import spare_repeats
from .serving import MakeDetector
from .settings import Settings
from .state_log import KafkaStateLog
from .topic_admin import open_admin
from .wire import build_codec, build_signer

log = logging.getLogger(__name__)

UNFIT_EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: the process ended itself and wants to be started again."""
_METADATA_SECONDS = 15.0
_GARBAGE_THRESHOLD = 20_000


class TopicsMissing(OperatorError):
    """The topics are not there."""


def run_worker(
    settings: Settings, bootstrap: str, role: Role, *, detector: MakeDetector = Detector
) -> NoReturn:
    """Run a worker of ``role`` until a signal, then exit the process.

    Raises ``TopicsUnreadable``, ``TopicsMissing``, ``SettingsInvalid`` and ``BundleInvalid``
    before it joins.
    """
    uvloop.install()
    mend_aiokafka()
    # Faust and aiokafka make debug records by the thousand, which nobody sees: a tenth of the CPU.
    logging.disable(logging.DEBUG)
    spare_repeats()
    found = _found(settings, bootstrap)
    settings.runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = librdkafka_config(settings, bootstrap)
    codec = build_codec(settings)
    signer = build_signer(settings)
    if signer is None and role is Role.JUDGEMENT:
        log.warning("decisions are not signed: FIREBREAK_SIGNING_KEY is not set")
    publisher = KafkaPublisher(config, codec, f"firebreak/{role}", signer)
    states = KafkaStateLog(config, publisher)
    ports = Ports(
        codec,
        publisher,
        KafkaHistory(config),
        states,
        abort,
        publisher.clock.now,
        written=publisher.written,
    )
    app = build_app(
        settings,
        bootstrap,
        role,
        ports,
        partitions=len(found.topics[topics.FRAME_SAMPLES].partitions),
        embedded=is_embedded(found.cluster_id),
        detector=detector,
    )
    # What is there now stays: the collector need not go over it, nor come by every 700 objects.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # Faust's progress spinner writes escape codes into whatever stdout is, the last at exit, and
    # nothing else goes there.
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, stdout=nowhere)
    try:
        # Ends in SystemExit.
        worker.execute_from_commandline()
    finally:
        publisher.close()


def abort(message: str) -> NoReturn:
    """End this process now; nothing further is acknowledged, so another worker takes it up."""
    log.critical("%s; this worker ends so that its work is taken up again", message)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(UNFIT_EXIT_CODE)


def _found(settings: Settings, bootstrap: str) -> ClusterMetadata:
    """The brokers and their topics. Asked for by name, some brokers would make the topic.

    Raises ``TopicsUnreadable`` and ``TopicsMissing``.
    """
    found = open_admin(settings, bootstrap).list_topics(timeout=_METADATA_SECONDS)
    if missing := sorted(topics.ALL - found.topics.keys()):
        raise TopicsMissing(f"{', '.join(missing)} missing: run `firebreak topics apply`")
    return found

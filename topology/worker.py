"""One worker process: a role's app, run by Faust until it is told to stop."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn, cast

import faust
import uvloop

from agents.detection.detector import Detector
from schemas import topics

from .aiokafka_mend import mend_aiokafka
from .app import Ports, Role, build_app
from .boot import BootServer
from .broker import is_embedded
from .errors import OperatorError
from .history import KafkaHistory
from .kafka_config import librdkafka_config
from .publisher import KafkaPublisher
from .reaching import reach_brokers
from .repeats import spare_repeats
from .serving import MakeDetector
from .settings import Settings
from .state_log import KafkaStateLog
from .wire import build_codec, build_signer

log = logging.getLogger(__name__)

UNFIT_EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: the process ended itself and wants to be started again."""
_GARBAGE_THRESHOLD = 20_000


class TopicsMissing(OperatorError):
    """The topics are not there."""


def run_worker(
    settings: Settings, bootstrap: str, role: Role, *, detector: MakeDetector = Detector
) -> NoReturn:
    """Run a worker of ``role`` until a signal, then exit the process.

    While the brokers are away it waits for them, and says so on its page.

    Raises ``SettingsInvalid``, ``WebPortTaken``, ``BrokersAway`` where ``settings.broker_wait`` is
    over, ``TopicsUnreadable``, ``TopicsMissing`` and ``BundleInvalid`` before it joins.
    """
    # Where native code crashes, of which there is much here, what each thread was at is logged.
    faulthandler.enable()
    uvloop.install()
    mend_aiokafka()
    # Faust and aiokafka make debug records by the thousand, which nobody sees: a tenth of the CPU.
    logging.disable(logging.DEBUG)
    spare_repeats()
    config = librdkafka_config(settings, bootstrap)
    signer = build_signer(settings)
    if signer is None and role is Role.JUDGEMENT:
        log.warning("decisions are not signed: FIREBREAK_SIGNING_KEY is not set")
    with BootServer(settings) as boot:
        found = reach_brokers(settings, bootstrap)
        boot.reached()
        if missing := sorted(topics.ALL - found.topics.keys()):
            raise TopicsMissing(f"{', '.join(missing)} missing: run `firebreak topics apply`")
        settings.runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        codec = build_codec(settings)
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
        app.overdue = abort
        boot.give_way_to(app)
        try:
            code = _run(app)
        finally:
            publisher.close()
    _end(code)


def _run(app: faust.App) -> int:
    """The exit code, once the app has stopped."""
    # What is there now stays: the collector need not go over it, nor come by every 700 objects.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # Faust's progress spinner writes escape codes into whatever stdout is, the last at exit, and
    # nothing else goes there.
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, stdout=nowhere)
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        # Faust gives one of its EX_ numbers.
        return cast(int, ended.code)


def abort(message: str) -> NoReturn:
    """End this process now; nothing further is acknowledged, so another worker takes it up."""
    log.critical("%s; this worker ends so that its work is taken up again", message)
    _end(UNFIT_EXIT_CODE)


def _end(code: int) -> NoReturn:
    """End this process, and with it whatever thread is still at work.

    The interpreter is not taken down: it would be from under those threads, much of it native code
    (librdkafka, uvloop, ONNX Runtime), and one crash in dozens of leavings was seen.
    """
    try:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)

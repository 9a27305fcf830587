"""Workers whose Kafka is away answer, and say so; once it is there they work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from pydantic import SecretStr

from tests import signed_in
from tests.brokers import BrokerKind, running_broker
from tests.e2e.support import READY_SECONDS, free_port_pair, get, ready
from tests.waiting import wait_until
from topology.app import Role
from topology.broker import EmbeddedBroker
from topology.fleet import Fleet
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = pytest.mark.e2e
LIMIT = 60.0
AT_ONCE = 10.0
"""Seconds, of a process on a machine that is shared."""


def told(url: str) -> tuple[int, str]:
    """Status and text of what an admin gets; 0 while nobody answers."""
    try:
        with urlopen(Request(url, headers=signed_in.headers()), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except (URLError, OSError):
        return 0, ""


@contextmanager
def worker(bootstrap: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A judgement worker, and where its page is."""
    port = free_port_pair()
    command = [sys.executable, "-m", "topology", "worker", Role.JUDGEMENT, "--web-port", str(port)]
    environment = {
        **os.environ,
        "FIREBREAK_BOOTSTRAP_SERVERS": bootstrap,
        "FIREBREAK_RUNTIME_DIR": str(folder),
        "FIREBREAK_WEB_KEY": signed_in.KEY,
    }
    process = subprocess.Popen(command, env=environment)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def forwarded(port: int, to: str) -> Iterator[None]:
    """What connects to ``port`` is connected to ``to``, ``host:port``."""
    host, _, there = to.rpartition(":")

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with source, sink:
            try:
                while some := source.recv(65536):
                    sink.sendall(some)
            except OSError:
                pass  # either end has gone

    def accept() -> None:
        while True:
            try:
                near, _ = server.accept()
                far = socket.create_connection((host, int(there)))
            except OSError:
                return
            for pair in ((near, far), (far, near)):
                Thread(target=carry, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as server:
        Thread(target=accept, daemon=True).start()
        yield


def test_a_worker_that_starts_before_kafka_says_so_and_works_once_it_is_there(
    tmp_path: Path, broker_kind: BrokerKind
) -> None:
    away = free_port()
    with worker(f"127.0.0.1:{away}", tmp_path / "worker") as (process, url):
        wait_until(lambda: told(f"{url}/live")[0] == 200, LIMIT)
        status, page = told(url)
        assert (status, "<h1>Kafka is not reached</h1>" in page) == (503, True)
        status, answer = told(f"{url}/ready")
        assert (status, '"Kafka reached": false' in answer) == (503, True)
        assert '"reason": "kafka-not-reached"' in told(f"{url}/api/v1/streams")[1]

        with running_broker(broker_kind, tmp_path) as bootstrap:
            apply_topics(Settings(), bootstrap)
            assert told(f"{url}/ready")[0] == 503
            with forwarded(away, bootstrap):
                wait_until(lambda: bool(get(f"{url}/ready").get("ready")), LIMIT + READY_SECONDS)
                status, page = told(url)
                assert (status, "<h1>Now</h1>" in page) == (200, True)
        assert process.poll() is None


def test_a_worker_that_waits_ends_cleanly_when_it_is_told_to(tmp_path: Path) -> None:
    with worker(f"127.0.0.1:{free_port()}", tmp_path) as (process, url):
        wait_until(lambda: told(f"{url}/live")[0] == 200, LIMIT)
        # It is waiting: the handler of signals is in place before the first attempt ends.
        wait_until(lambda: "kafka-not-reached" in told(f"{url}/ready")[1], LIMIT)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert process.wait(LIMIT) == 0
        assert time.monotonic() - begun < AT_ONCE


def test_workers_whose_kafka_goes_away_say_so_and_say_so_again_when_started_again(
    tmp_path: Path,
) -> None:
    """As those are that end because nothing can be published."""
    port, key = free_port_pair(), SecretStr(signed_in.KEY)
    settings = Settings(runtime_dir=tmp_path, web_port=port, web_key=key)
    broker = EmbeddedBroker(settings)
    broker.start()
    try:
        apply_topics(settings, broker.bootstrap)
        environment = {"FIREBREAK_WEB_KEY": signed_in.KEY}
        with Fleet(settings, broker.bootstrap, environment) as fleet:
            url = fleet.web_urls[Role.JUDGEMENT]
            wait_until(lambda: ready(fleet), LIMIT + READY_SECONDS)
            broker.stop()
            gone_at = time.monotonic()
            wait_until(lambda: "Connection to Kafka lost." in told(url)[1], LIMIT)
            print(f"said {time.monotonic() - gone_at:.1f} s after the broker had gone")
            assert told(f"{url}/live")[0] == 200
            wait_until(lambda: "on-call feed caught up" in told(f"{url}/ready")[1], LIMIT)
            assert told(f"{url}/ready")[0] == 503

            former = fleet.pids[Role.JUDGEMENT]
            os.kill(former, signal.SIGKILL)
            said: list[str] = []

            def waits() -> bool:
                said.extend(fleet.check())
                return "<h1>Kafka is not reached</h1>" in told(url)[1]

            wait_until(waits, LIMIT, about=lambda: said)
            assert fleet.pids[Role.JUDGEMENT] != former
    finally:
        broker.stop()

"""Brokers that are away are waited for; what waiting does not mend is told."""

from __future__ import annotations

import os
import signal
import socket
import ssl
from pathlib import Path
from threading import Thread

import pytest

from tests.kafka.certificates import Authority
from tests.waiting import wait_until
from topology.reaching import reach_brokers
from topology.settings import Settings
from topology.topic_admin import BrokersAway, TopicsUnreadable

NOBODY = "127.0.0.1:9"


def test_brokers_that_stay_away_are_told_when_the_wait_is_over() -> None:
    with pytest.raises(BrokersAway, match=r"127\.0\.0\.1:9: .*refused"):
        reach_brokers(Settings(broker_wait=3), NOBODY)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(how: signal.Signals) -> None:
    before = signal.getsignal(how)

    def end() -> None:
        wait_until(lambda: signal.getsignal(how) is not before, 10)
        os.kill(os.getpid(), how)

    ender = Thread(target=end)
    ender.start()
    with pytest.raises(SystemExit) as ended:
        # The wait would end this test otherwise, with another exception.
        reach_brokers(Settings(broker_wait=60), NOBODY)
    ender.join()
    assert ended.value.code == 0
    assert signal.getsignal(how) is before


def test_a_server_whose_certificate_nobody_vouches_for_is_told_at_once(tmp_path: Path) -> None:
    signed = Authority().sign("broker")
    (tmp_path / "certificate.pem").write_text(signed.certificate)
    (tmp_path / "key.pem").write_text(signed.key)
    (tmp_path / "another.pem").write_text(Authority("another").certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    settings = Settings(security_protocol="SSL", ssl_ca_file=tmp_path / "another.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_shake_hands, args=(server, context), daemon=True).start()
        with pytest.raises(TopicsUnreadable, match="certificate verify failed") as told:
            reach_brokers(settings, f"127.0.0.1:{server.getsockname()[1]}")
    assert not isinstance(told.value, BrokersAway)


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()

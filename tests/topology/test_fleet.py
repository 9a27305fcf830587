"""What a fleet checks before it starts anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.e2e.support import free_port_pair
from topology.fleet import Fleet, WebPortTaken
from topology.settings import Settings


@pytest.mark.parametrize("offset", [0, 1])
def test_a_web_port_that_is_taken_is_told_before_a_worker_starts(
    tmp_path: Path, offset: int
) -> None:
    port = free_port_pair()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + offset))
        other.listen()
        fleet = Fleet(Settings(runtime_dir=tmp_path, web_port=port), "127.0.0.1:1")
        with pytest.raises(WebPortTaken, match=f"127.0.0.1:{port + offset}.*FIREBREAK_WEB_PORT"):
            fleet.__enter__()
        assert fleet.pids == {}

"""``python -m tests.bench.peers NAME``: the peer, in this process, with the Python it needs."""

from __future__ import annotations

import os
import sys

from . import OWN_PYTHON, PEERS

if __name__ == "__main__":
    (name,) = sys.argv[1:]
    peer = PEERS[name]
    python = str(OWN_PYTHON) if peer.own_python else sys.executable
    os.execv(python, [python, "-m", f"tests.bench.peers.{peer.module}"])

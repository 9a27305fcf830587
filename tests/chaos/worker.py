"""``python -m tests.chaos.worker ROLE PORT``: a worker as it is measured, that notes what it has.

``FIREBREAK_CHAOS_NOTES`` is the folder of the notes (``tests.chaos.ownership``).
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

from faust.types import TP

from tests.bench.ours import NullDetector
from topology.app import Role
from topology.committing import RunMessage
from topology.runs import RunConsumer, RunTransport
from topology.settings import load_settings
from topology.worker import run_worker

from .ownership import Handed, Notes, Taken

NOTES = "FIREBREAK_CHAOS_NOTES"


class NotingConsumer(RunConsumer):
    """The topology's consumer; what the group hands it and what it gives to agents is noted."""

    notes: ClassVar[Notes]
    worker: ClassVar[str] = uuid.uuid4().hex
    role: ClassVar[Role]

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        partitions = [(tp.topic, tp.partition) for tp in sorted(assigned)]
        self.notes.write(Handed(self.worker, self.role, generation_id, partitions))
        await super().on_partitions_assigned(assigned, generation_id)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, RunMessage]]:  # noqa: ASYNC109
        async for tp, message in super().getmany(timeout):
            self.notes.write(
                Taken(
                    self.worker,
                    self.role,
                    message.generation_id or 0,
                    tp.topic,
                    tp.partition,
                    message.first,
                    message.offset,
                )
            )
            yield tp, message


if __name__ == "__main__":
    role, port = sys.argv[1:]
    NotingConsumer.notes = Notes(Path(os.environ[NOTES]), NotingConsumer.worker)
    NotingConsumer.role = Role(role)
    RunTransport.Consumer = NotingConsumer
    worker = load_settings(web_port=int(port))
    run_worker(worker, worker.bootstrap_servers or "", Role(role), detector=NullDetector)

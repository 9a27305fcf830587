"""A worker's app, built as it is, without a broker."""

from __future__ import annotations

from pathlib import Path

from tests.detection.serving import write_version
from tests.shell import CODEC, Bench, KeepingPublisher, KeepingStateLog
from topology.app import Ports, Role, build_app
from topology.runs import RunApp
from topology.settings import load_settings


class NoHistory:
    async def read(
        self, topic: str, partition: int, since: int, until_offset: int
    ) -> list[tuple[int, bytes]]:
        return []


def built(role: Role, folder: Path, **settings_besides: object) -> RunApp:
    """The app of ``role``, as its worker builds it."""
    bundle = write_version(folder / "bundle", "1")
    settings = load_settings(bundle=bundle, runtime_dir=folder, **settings_besides)
    bench = Bench(role)
    ports = Ports(
        CODEC, KeepingPublisher(), NoHistory(), KeepingStateLog(), bench.abort, lambda: None
    )
    app = build_app(settings, "127.0.0.1:1", role, ports, partitions=2)
    assert isinstance(app, RunApp)
    return app

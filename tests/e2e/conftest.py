"""One stack for the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.brokers import BrokerKind
from tests.e2e.support import running_stack
from topology.stack import Stack


@pytest.fixture(scope="package")
def stack(broker_kind: BrokerKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Shared: use streams of your own."""
    with running_stack(tmp_path_factory.mktemp("stack"), broker_kind) as running:
        yield running

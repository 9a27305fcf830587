"""One stack for the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.support import running_stack
from topology.stack import Stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Shared: use streams of your own."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running

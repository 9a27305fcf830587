"""What workers' reports say of changed policies and bundles."""

from __future__ import annotations

import pytest

from agents.oncall.changes import changes
from schemas import PartInForce

from .events import NOW, worker_reported

LIVE = PartInForce("bundle", "live", "lite0 1", "a" * 64)
POLICY = PartInForce("policy", "live", "default/3", "c" * 64)


def part(of: PartInForce = LIVE, **given: object) -> PartInForce:
    told = {name: getattr(of, name) for name in of.__struct_fields__}
    return PartInForce(**{**told, **given})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([LIVE], [LIVE], []),
        ([LIVE], [part(provider="CUDAExecutionProvider")], []),
        ([], [LIVE], []),
        ([POLICY], [POLICY, LIVE], []),
        (
            [LIVE],
            [part(label="lite0 2", digest="b" * 64)],
            [f"live: from lite0 1 (digest {'a' * 12}) to lite0 2 (digest {'b' * 12})"],
        ),
        (
            [LIVE],
            [part(share=0.9), part(part="canary", label="lite0 2", digest="b" * 64, share=0.1)],
            [
                f"live: from lite0 1 (digest {'a' * 12}) to lite0 1 "
                f"(digest {'a' * 12}, 90% of streams)",
                f"canary: from none to lite0 2 (digest {'b' * 12}, 10% of streams)",
            ],
        ),
        ([POLICY], [], [f"live: from default/3 (digest {'c' * 12}) to none"]),
        (
            [LIVE],
            [part(label="", digest="")],
            [
                f"live: from lite0 1 (digest {'a' * 12}) to one that could not be loaded "
                "(digest not known)"
            ],
        ),
    ],
    ids=[
        "the same",
        "on other hardware",
        "loaded first",
        "another kind loaded first",
        "another",
        "a share of it",
        "taken away",
        "not loaded",
    ],
)
def test_two_reports_tell_what_changed(
    before: list[PartInForce], after: list[PartInForce], told: list[str]
) -> None:
    """What a worker begins with is no change of it."""
    found = list(changes(worker_reported(in_force=before), worker_reported(in_force=after), NOW))
    assert [it.outcome for it in found] == told
    assert {it.who for it in found} <= {"worker-1"}
    assert len({it.id for it in found}) == len(found)

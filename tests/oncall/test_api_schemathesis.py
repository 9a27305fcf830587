"""Whatever the OpenAPI document lets be asked is asked, and what it does not let be asked as well:
nothing fails, and each answer is one that the document tells of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from agents.oncall.access.rates import Rate
from agents.oncall.api.openapi import document
from agents.oncall.api.table import operations
from agents.oncall.api.waiting import Waiting
from agents.oncall.desk import Desk
from agents.oncall.guard import Limits
from agents.oncall.read_model import ReadModel
from tests import signed_in

from .asking import HANDLE, ORDER_ID, fill
from .beside import beside
from .events import NOW, answered, commanded
from .serving import FeedAsTold, serve

_EVERYTHING = Rate(per_minute=1e9, at_once=1_000_000_000)
_KNOWN = {
    "handle": HANDLE,
    "incident_id": "incident-1",
    "order_id": ORDER_ID,
    "letter": "d-1",
}
_UNTOLD = (
    # Forms ask for more than a schema can say, such as how long the policy lets an order last.
    positive_data_acceptance,
    # What one path names as a part is a path of its own: `/streams/{handle}`, `/streams/search`.
    allow_header_conformance,
    unsupported_method,
)
_thorough = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where it is served from, to somebody who asks much."""
    limits = Limits(_EVERYTHING, _EVERYTHING, _EVERYTHING)
    served = fill(serve(partial(signed_in.guard, limits=limits)))
    served.read_model.apply(commanded(command_id=ORDER_ID), NOW)
    served.read_model.apply(answered(command_id=ORDER_ID), NOW)
    with beside(served, stopping=True) as where:
        yield where


def _document() -> dict[str, Any]:
    """As the view serves it, which another test holds to its routes."""
    return document(operations(Desk(ReadModel(), FeedAsTold(), dict), Waiting()))


Asked = schemathesis.Case[Any]
schema = schemathesis.openapi.from_dict(_document())


@schema.parametrize()
@_thorough
def test_nothing_that_is_asked_fails(case: Asked, url: str) -> None:
    """Of streams and orders that mostly nobody knows; what can't be asked is refused."""
    case.call_and_validate(
        base_url=url,
        headers=signed_in.headers(),
        excluded_checks=[*_UNTOLD],
    )


@schema.parametrize()
@_thorough
def test_nothing_that_is_asked_of_what_is_known_fails(case: Asked, url: str) -> None:
    """Of a stream, an incident, an order and a dead letter that are there."""
    for name in case.path_parameters or {}:
        if name in _KNOWN:
            case.path_parameters[name] = _KNOWN[name]
    case.call_and_validate(
        base_url=url,
        headers=signed_in.headers(),
        # It may have been the path that was not to be accepted, and that was mended.
        excluded_checks=[*_UNTOLD, negative_data_rejection],
    )

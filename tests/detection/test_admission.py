"""What is admitted, at its bounds."""

from __future__ import annotations

from typing import Any

import pytest

from agents.dead_letters import DeadLetterCause
from agents.detection.admission import MAX_BEHIND, MAX_ID, admit
from agents.event_time import MAX_AHEAD
from tests.builders import START, frame_sampled


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({}, None),
        ({"captured_at": START + MAX_AHEAD}, None),
        ({"captured_at": START + MAX_AHEAD + 1}, DeadLetterCause.EVENT_TIME_OUT_OF_RANGE),
        ({"captured_at": START - MAX_BEHIND}, None),
        ({"captured_at": START - MAX_BEHIND - 1}, DeadLetterCause.EVENT_TIME_OUT_OF_RANGE),
        ({"stream_id": "s" * MAX_ID}, None),
        ({"stream_id": "s" * (MAX_ID + 1)}, DeadLetterCause.INVALID_ID),
        ({"session_id": "\N{GRINNING FACE}" * (MAX_ID // 4)}, None),
        ({"session_id": "\N{GRINNING FACE}" * (MAX_ID // 4 + 1)}, DeadLetterCause.INVALID_ID),
        ({"stream_id": ""}, DeadLetterCause.INVALID_ID),
        ({"session_id": ""}, DeadLetterCause.INVALID_ID),
    ],
)
def test_bounds_are_inclusive(given: dict[str, Any], cause: DeadLetterCause | None) -> None:
    rejection = admit(frame_sampled(**given), START)
    assert (rejection.cause if rejection else None) is cause

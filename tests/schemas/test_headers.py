"""CloudEvents and trace headers."""

from __future__ import annotations

import re

import pytest

from schemas import CloudEvent, derive_id, read_traceparent, write_headers

EVENT = CloudEvent("id-1", "firebreak.FrameSampled", "shard-1", "stream-1", 1_700_000_000_123_456)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_headers_carry_the_cloudevents_attributes_of_the_kafka_binding() -> None:
    headers = dict(write_headers(EVENT, None))
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_id"] == b"id-1"
    assert headers["ce_type"] == b"firebreak.FrameSampled"
    assert headers["ce_source"] == b"shard-1"
    assert headers["ce_subject"] == b"stream-1"
    assert headers["ce_time"] == b"2023-11-14T22:13:20.123456Z"
    assert headers["content-type"] == b"application/avro"


def test_the_trace_of_the_cause_goes_on_under_a_new_span() -> None:
    parent = f"00-{TRACE}-b7ad6b7169203331-01"
    continued = dict(write_headers(EVENT, parent))["traceparent"].decode()
    assert continued.split("-")[1] == TRACE
    assert continued.split("-")[2] != parent.split("-")[2]


@pytest.mark.parametrize(
    "cause",
    [None, "", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01"],
)
def test_a_trace_starts_here_where_the_cause_has_no_valid_one(cause: str | None) -> None:
    started = dict(write_headers(EVENT, cause))["traceparent"].decode()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", started)
    assert started.split("-")[1] != TRACE


def test_the_same_event_has_the_same_headers() -> None:
    assert write_headers(EVENT, None) == write_headers(EVENT, None)


def test_the_trace_is_read_from_pairs_and_from_mappings() -> None:
    pairs = write_headers(EVENT, None)
    assert read_traceparent(pairs) == read_traceparent(dict(pairs)) is not None
    assert read_traceparent(None) is None


def test_ids_follow_from_their_parts_and_parts_do_not_run_together() -> None:
    assert derive_id("risk", "a", 1) == derive_id("risk", "a", 1)
    assert derive_id("risk", "a", 11) != derive_id("risk", "a1", 1)

"""What is shown of a record that could not be processed, and what is not."""

from __future__ import annotations

from agents.oncall.previews import Preview, RawRecord, preview
from schemas import Codec, topics
from tests.builders import frame_sampled

CODEC = Codec()
SECRET = "somebodys-stream"


def shown(value: bytes | None, *headers: tuple[str, bytes]) -> Preview:
    return preview(RawRecord(list(headers), value), topics.FRAME_SAMPLES, CODEC)


def test_an_event_is_shown_without_ids_and_payload() -> None:
    frame = frame_sampled(stream_id=SECRET, session_id=SECRET, payload=b"picture", codec="jpeg")
    found = shown(CODEC.encode(frame))
    fields = dict(found.fields)
    assert found.event == "FrameSampled"
    assert fields["codec"] == "jpeg"
    assert fields["payload"] == "7 bytes"
    assert fields["stream_id"] == f"{len(SECRET)} characters"
    assert fields["sequence"] == str(frame.sequence)
    assert SECRET not in str(found)
    assert "picture" not in str(found)


def test_headers_that_are_ours_are_shown_and_others_are_told_by_their_size() -> None:
    found = shown(b"", ("ce_type", b"firebreak.FrameSampled"), ("ce_subject", SECRET.encode()))
    assert found.headers == (
        ("ce_type", "firebreak.FrameSampled"),
        ("ce_subject", f"{len(SECRET)} bytes"),
    )


def test_what_can_not_be_read_says_why_and_how_it_begins() -> None:
    found = shown(b"\x00" * 10 + b"x" * 1_000)
    assert found.fields == ()
    assert found.unreadable
    assert found.first_bytes.startswith("00000000")
    assert (found.size, len(found.first_bytes.replace(" ", ""))) == (1_010, 128)


def test_nothing_at_all_is_told_as_such() -> None:
    found = shown(None)
    assert (found.size, found.first_bytes) == (0, "")
    assert found.unreadable


def test_what_somebody_sends_is_shown_within_bounds_and_on_one_line() -> None:
    many = [(f"ce_type\n{number}", b"x") for number in range(500)]
    found = shown(b"", ("ce_type", b"\x1b[31m" + b"x" * 5_000), *many)
    assert len(found.headers) == 40
    assert all(len(value) <= 101 and value.isprintable() for _, value in found.headers)
    assert all(name.isprintable() for name, _ in found.headers)


def test_a_topic_without_events_of_ours_is_shown_by_its_bytes() -> None:
    found = preview(RawRecord(None, b"abc"), "strange", CODEC)
    assert (found.event, found.first_bytes) == ("", "616263")

"""Records of detections as files, and ``firebreak backtest`` as people run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
from click.testing import CliRunner, Result
from msgspec import convert

from agents.decision.defaults import DEFAULT_POLICY_FILE
from schemas import DetectionsMade, library, topics
from tests.e2e.support import CODEC, produce
from tests.topology.recordings import batches, drawn
from topology.backtest.record import RecordInvalid, read_record, write_record
from topology.broker import EmbeddedBroker
from topology.cli import main
from topology.settings import Settings
from topology.topic_admin import apply_topics

ROWS = list(batches(drawn(attack="." * 20 + "x" * 30, street="." * 50)))


def test_a_record_is_read_as_it_was_written_and_is_the_same_bytes_each_time(
    tmp_path: Path,
) -> None:
    one, other = tmp_path / "one.avro", tmp_path / "other.avro"
    write_record(one, ROWS)
    write_record(other, read_record(one))
    assert list(read_record(one)) == ROWS
    assert one.read_bytes() == other.read_bytes()


def test_a_record_whose_times_are_times_is_read_as_numbers(tmp_path: Path) -> None:
    """Written by anybody with the published schema."""
    path = tmp_path / "published.avro"
    with path.open("wb") as file:
        fastavro.writer(file, library.current("DetectionsMade").raw, ROWS)
    assert list(read_record(path)) == ROWS


@pytest.mark.parametrize("content", [b"", b"nonsense", b"Obj\x01" + bytes(40)])
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.avro"
    path.write_bytes(content)
    with pytest.raises(RecordInvalid, match=r"broken\.avro"):
        list(read_record(path))


def test_a_record_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.avro"
    schema: dict[str, Any] = {
        "type": "record",
        "name": "Weather",
        "fields": [{"name": "rain", "type": "int"}],
    }
    with path.open("wb") as file:
        fastavro.writer(file, schema, [{"rain": 1}])
    with pytest.raises(RecordInvalid, match="no record of detections"):
        list(read_record(path))


def test_a_record_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.avro"
    write_record(path, ROWS)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RecordInvalid, match=r"cut\.avro"):
        list(read_record(path))


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["backtest", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def lenient(tmp_path: Path) -> Path:
    """The default policy, which here never takes down what it has not seen for longer."""
    path = tmp_path / "lenient.toml"
    text = DEFAULT_POLICY_FILE.read_text()
    path.write_text(
        text.replace('version = "3"', 'version = "lenient"').replace(
            "at_least = 4 }", "at_least = 12 }"
        )
    )
    assert path.read_text() != text
    return path


def test_the_command_prints_what_differs_and_the_change(tmp_path: Path, lenient: Path) -> None:
    record, out = tmp_path / "record.avro", tmp_path / "out.json"
    write_record(record, ROWS)
    result = run("--policy", str(lenient), "--from", str(record), "--json", str(out))
    assert "attack attack-session: taken down at" in result.output
    assert "takedowns          1 -> 1 (+0)" in result.output
    told = json.loads(out.read_text())
    assert told["detections"] == 100
    assert told["new"]["policy"] == "default/lenient"
    assert told["against"]["seconds_to_takedown"] < told["new"]["seconds_to_takedown"]
    assert [it["stream_id"] for it in told["differences"]] == ["attack"]


def test_the_same_record_and_policies_give_the_same_bytes(tmp_path: Path, lenient: Path) -> None:
    record = tmp_path / "record.avro"
    write_record(record, ROWS)
    written = []
    for name in ("one", "other"):
        log, out = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.json"
        arguments = ("--policy", str(lenient), "--from", str(record))
        run(*arguments, "--decisions", str(log), "--json", str(out))
        written.append((log.read_bytes(), out.read_bytes()))
    assert written[0] == written[1]
    assert b"TakedownRequested" in written[0][0]


def test_what_lies_in_the_topic_is_replayed_and_saved_as_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(runtime_dir=tmp_path / "run")
    with EmbeddedBroker(settings) as broker:
        apply_topics(settings, broker.bootstrap)
        values = [(b"0", CODEC.encode(convert(batch, DetectionsMade))) for batch in ROWS]
        produce(broker.bootstrap, topics.DETECTIONS, [*values, (b"0", b"nonsense")])
        monkeypatch.setenv("FIREBREAK_BOOTSTRAP_SERVERS", broker.bootstrap)
        policy, saved = str(DEFAULT_POLICY_FILE), tmp_path / "saved.avro"
        result = run("--policy", policy, "--from", topics.DETECTIONS, "--save", str(saved))
    assert "100 detections; no stream differs" in result.output
    assert sorted(map(str, read_record(saved))) == sorted(map(str, ROWS))

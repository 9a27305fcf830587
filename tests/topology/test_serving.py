"""What judges is built from the settings, and what is wrong with them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.detection.detector import Detector
from agents.detection.manifest import BundleInvalid
from schemas import Codec
from tests.chaos.faults import CUT_SECONDS, FROZEN_SECONDS
from tests.detection.serving import write_version
from tests.shell import Bench
from topology.serving import DetectionWork, detection_work
from topology.settings import Settings, SettingsInvalid, load_settings


def work(bundle: Path, **given: object) -> DetectionWork:
    settings = load_settings(bundle=bundle, **given)
    intake = Bench("detection").intake
    return detection_work(settings, Codec(), intake, lambda: 0, Detector, brokers_now=lambda: None)


def test_a_worker_starts_with_single_frames_and_tells_what_it_believes_they_cost(
    tmp_path: Path,
) -> None:
    made = work(write_version(tmp_path / "now", "1"), batch_size=32)
    status = made.status()
    assert status["batch"] == {
        "size": 1,
        "most": 32,
        "fixed_seconds": 0.025,
        "acknowledged_seconds": 0.0,
        "seconds_per_frame": 0.025,
    }
    made.size.observe(1, 0.004, 0.002)
    assert made.status()["batch"] != status["batch"]
    made.detector.close()


def test_a_line_up_that_can_not_be_read_names_setting_file_and_field(tmp_path: Path) -> None:
    file = tmp_path / "line-up.toml"
    file.write_text("live = 7")
    with pytest.raises(SettingsInvalid, match=r"FIREBREAK_BUNDLE: .*line-up\.toml: live: "):
        work(file)
    with pytest.raises(SettingsInvalid, match=r"FIREBREAK_BUNDLE: .*no-such\.toml: No such file"):
        work(tmp_path / "no-such.toml")


def test_a_live_bundle_that_can_not_be_used_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalid, match=r"manifest\.toml"):
        work(tmp_path)


def test_no_failover_that_is_tried_makes_frames_too_old() -> None:
    """Of a worker that is frozen or cut off others have the partitions once its session is over,
    and what it had itself is older by as long as it was away."""
    away = max(FROZEN_SECONDS, CUT_SECONDS)
    assert Settings.model_fields["shed_age"].default >= 2 * away


def test_a_latency_target_leaves_time_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "FIREBREAK_LATENCY_TARGET: .*FIREBREAK_BATCH_WAIT"
    with pytest.raises(SettingsInvalid, match=said):
        load_settings(latency_target=0.05, batch_wait=0.05)
    monkeypatch.setenv("FIREBREAK_BATCH_WAIT", "0.3")
    with pytest.raises(SettingsInvalid, match=said):
        load_settings()
    assert Settings(latency_target=0.31).latency_target == 0.31

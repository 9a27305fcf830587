"""Bundles come and go under a running worker: what is loaded, what stays, and what is told."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import weakref
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from agents.detection.detector import Judge
from agents.detection.lineup import LineUpInvalid, Part
from agents.detection.manifest import BundleInvalid
from tests.detection.serving import load, serve, settle, write_version
from tests.shell import Bench
from tests.waiting import wait_until_async

MODEL = "model.onnx"
ALL = """
live = "now"
[canary]
bundle = "next"
share = 0.25
[shadow]
bundle = "tried"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with bundles of versions 1, 2 and 3 in ``now``, ``next`` and ``tried``."""
    for number, name in enumerate(("now", "next", "tried"), 1):
        write_version(tmp_path / name, str(number))
    return tmp_path


def line_up(folder: Path, text: str = ALL) -> Path:
    file = folder / "line-up.toml"
    file.write_text(text)
    return file


def told(serving: Any, part: str) -> dict[str, Any]:
    found = serving.status()[part]
    assert isinstance(found, dict)
    return found


def versions(serving: Any) -> dict[str, str]:
    """The version of the bundle in each seat that is taken."""
    status = serving.status().items()
    return {part: it["bundle"].split("/")[1] for part, it in status if "bundle" in it}


def test_a_folder_is_a_line_up_of_one(folder: Path) -> None:
    serving = serve(Bench("detection"), folder / "now")
    assert not serving.is_warm
    serving.begin()
    assert serving.is_warm
    assert versions(serving) == {"live": "1"}
    assert serving.judges.canary is None


def test_what_judges_and_what_it_runs_on_is_told(folder: Path) -> None:
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    assert versions(serving) == {"live": "1", "canary": "2", "shadow": "3"}
    canary = told(serving, "canary")
    assert canary["digest"] == load(folder / "next", Part.CANARY).bundle.digest
    assert canary["share"] == serving.judges.share == 0.25
    assert canary["provider"] == "CPUExecutionProvider"
    assert (canary["model_file"], canary["precision"]) == (MODEL, "float32")
    assert canary["passed_over"] == {}
    assert canary["failure"] is None
    reported = {it.part: (it.share, it.provider) for it in serving.in_force()}
    assert reported == {
        "live": (0.75, "CPUExecutionProvider"),
        "canary": (0.25, "CPUExecutionProvider"),
        "shadow": (0.0, "CPUExecutionProvider"),
    }
    assert serving.failures() == []


async def test_a_replaced_bundle_judges_from_the_second_look_on(folder: Path) -> None:
    serving = serve(Bench("detection"), folder / "now")
    serving.begin()
    write_version(folder / "now", "4")
    await serving.refresh()
    assert versions(serving) == {"live": "1"}
    await serving.refresh()
    assert versions(serving) == {"live": "4"}
    assert serving.judges.live.bundle.label == "tiny/4"


async def test_a_bundle_that_was_replaced_is_let_go(folder: Path) -> None:
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    old = weakref.ref(serving.judges.live.bundle.session)
    write_version(folder / "now", "4")
    await settle(serving)
    gc.collect()
    assert old() is None


async def test_files_that_were_only_touched_change_nothing(folder: Path) -> None:
    serving = serve(Bench("detection"), folder / "now")
    serving.begin()
    judge = serving.judges.live
    os.utime(folder / "now" / MODEL, (1, 1))
    await settle(serving)
    assert serving.judges.live is judge


async def test_a_half_written_bundle_is_told_once_and_taken_when_it_is_whole(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serving = serve(Bench("detection"), folder / "now")
    serving.begin()
    whole = (folder / "now" / MODEL).read_bytes()
    write_version(folder / "now", "4")
    (folder / "now" / MODEL).write_bytes(whole[:100])
    for _ in range(3):
        await settle(serving)
    assert versions(serving) == {"live": "1"}
    failure = told(serving, "live")["failure"]
    assert "SHA-256 differs" in failure
    errors = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert [failure in entry.getMessage() for entry in errors] == [True]

    (folder / "now" / MODEL).write_bytes(whole)
    await settle(serving)
    assert versions(serving) == {"live": "4"}
    assert told(serving, "live")["failure"] is None


async def test_a_bundle_that_disappears_goes_on_judging(folder: Path) -> None:
    serving = serve(Bench("detection"), folder / "now")
    serving.begin()
    rmtree(folder / "now")
    await settle(serving)
    assert versions(serving) == {"live": "1"}
    assert "manifest.toml" in told(serving, "live")["failure"]


async def test_a_line_up_that_changes_fills_and_empties_seats(folder: Path) -> None:
    file = line_up(folder)
    serving = serve(Bench("detection"), file)
    serving.begin()
    line_up(folder, 'live = "next"')
    await settle(serving)
    assert versions(serving) == {"live": "2"}
    assert serving.judges.canary is None
    line_up(folder, ALL.replace("0.25", "0.5"))
    await settle(serving)
    assert versions(serving) == {"live": "1", "canary": "2", "shadow": "3"}
    assert serving.judges.share == 0.5


async def test_a_share_that_changes_loads_nothing_again(folder: Path) -> None:
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    before = serving.judges
    line_up(folder, ALL.replace("0.25", "0.5"))
    await settle(serving)
    assert (serving.judges.live, serving.judges.canary) == (before.live, before.canary)
    assert serving.judges.share == 0.5


@pytest.mark.parametrize("broken", [ALL.replace("0.25", "2"), "live = [", ""])
async def test_a_line_up_that_breaks_leaves_the_old_one_and_says_why(
    folder: Path, broken: str
) -> None:
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    before = serving.judges
    line_up(folder, broken)
    await settle(serving)
    assert serving.judges == before
    assert "line-up.toml: " in told(serving, "line_up")["failure"]
    line_up(folder)
    await settle(serving)
    assert told(serving, "line_up")["failure"] is None


async def test_a_path_that_can_not_be_one_is_a_bundle_that_does_not_load(folder: Path) -> None:
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    line_up(folder, 'live = "a\\u0000"')
    await settle(serving)
    assert versions(serving) == {"live": "1"}
    assert "null byte" in told(serving, "live")["failure"]


async def test_a_broken_canary_does_not_keep_the_rest_of_a_line_up_back(folder: Path) -> None:
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    write_version(folder / "now", "4")
    (folder / "next" / MODEL).write_bytes(b"no model")
    await settle(serving)
    assert versions(serving) == {"live": "4", "canary": "2", "shadow": "3"}
    assert "SHA-256 differs" in told(serving, "canary")["failure"]


def test_without_a_canary_or_a_shadow_that_loads_the_work_is_begun(folder: Path) -> None:
    for name in ("next", "tried"):
        (folder / name / MODEL).write_bytes(b"no model")
    serving = serve(Bench("detection"), line_up(folder))
    serving.begin()
    assert versions(serving) == {"live": "1"}
    assert serving.judges.canary is None
    for part in ("canary", "shadow"):
        assert "SHA-256 differs" in told(serving, part)["failure"]
    assert [it.part for it in serving.in_force()] == ["live"]
    assert [it.split(":")[0] for it in serving.failures()] == ["bundle, canary", "bundle, shadow"]


def test_without_a_line_up_or_a_live_bundle_the_work_is_not_begun(folder: Path) -> None:
    with pytest.raises(LineUpInvalid, match=r"line-up\.toml: No such file"):
        serve(Bench("detection"), folder / "line-up.toml").begin()
    with pytest.raises(LineUpInvalid, match=r"line-up\.toml: .*`live`"):
        serve(Bench("detection"), line_up(folder, "")).begin()
    (folder / "now" / MODEL).write_bytes(b"no model")
    with pytest.raises(BundleInvalid, match="SHA-256 differs"):
        serve(Bench("detection"), line_up(folder)).begin()


async def test_the_event_loop_goes_on_and_the_old_bundle_judges_while_a_new_one_loads(
    folder: Path,
) -> None:
    may_load = threading.Event()

    def slow(source: Path, part: Part) -> Judge:
        assert may_load.wait(20)
        return load(source, part)

    serving = serve(Bench("detection"), folder / "now", slow)
    may_load.set()
    serving.begin()
    may_load.clear()
    write_version(folder / "now", "4")
    await serving.refresh()
    loading = asyncio.create_task(serving.refresh())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not loading.done()
    assert versions(serving) == {"live": "1"}
    may_load.set()
    await loading
    assert versions(serving) == {"live": "4"}


async def test_whatever_loading_raises_the_files_go_on_being_watched(folder: Path) -> None:
    def failing(source: Path, part: Part) -> Judge:
        if (source / "trap").exists():
            raise MemoryError("no room")
        return load(source, part)

    serving = serve(Bench("detection"), folder / "now", failing)
    serving.begin()
    async with serving:
        (folder / "now" / "trap").touch()
        await wait_until_async(lambda: told(serving, "live")["failure"] is not None, 10)
        assert "MemoryError: no room" in told(serving, "live")["failure"]
        (folder / "now" / "trap").unlink()
        write_version(folder / "now", "4")
        await wait_until_async(lambda: versions(serving) == {"live": "4"}, 10)

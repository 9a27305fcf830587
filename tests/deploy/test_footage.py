"""Footage: what is listed, what is skipped and why, and one clip that is really rendered."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from deploy.footage.__main__ import main
from deploy.footage.doom import play_doom
from deploy.footage.engine import Session
from deploy.footage.engines import ENGINES
from deploy.footage.listing import (
    LISTING,
    Clip,
    Listing,
    ListingUnreadable,
    Skipped,
    read_listing,
    write_listing,
)
from deploy.footage.openarena import play_openarena
from deploy.footage.packages import Item, NotShipped, fetch, read_items
from deploy.footage.screen import CannotRecord, require, running, wait_for
from deploy.footage.stillness import is_still


def write_video(path: Path, pictures: Iterable[np.ndarray]) -> None:
    """At a picture a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def png() -> bytes:
    memory = io.BytesIO()
    with av.open(memory, "w", format="image2pipe") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(noise(0), format="rgb24")))
        container.mux(stream.encode())
    return memory.getvalue()


def test_a_listing_is_read_as_it_was_written(tmp_path: Path) -> None:
    clip = Clip("a", "game", "test", "a.mp4", "CC0-1.0", "package a 1: a.mp4", "doom", 2.5)
    listing = Listing([clip], [Skipped("b", "package b is not installed")])
    write_listing(tmp_path, listing)
    assert read_listing(tmp_path) == listing


def test_a_folder_without_listing_lists_nothing(tmp_path: Path) -> None:
    assert read_listing(tmp_path) == Listing()


def test_a_listing_with_an_unknown_role_is_refused_with_its_path(tmp_path: Path) -> None:
    entry = 'id = "a"\nkind = "game"\nrole = "both"\nfile = "a"\nlicence = ""\nprovenance = ""'
    (tmp_path / LISTING).write_text(f"[[clip]]\n{entry}\n")
    with pytest.raises(ListingUnreadable, match=rf"{LISTING}.*both.*role"):
        read_listing(tmp_path)


def test_each_item_has_an_id_of_its_own_and_a_licence() -> None:
    items = read_items()
    assert len({item.id for item in items}) == len(items)
    assert all(item.licence for item in items)


def test_no_engine_is_in_both_roles_and_each_has_levels_enough() -> None:
    roles = {engine.name: engine.role for engine in ENGINES}
    assert len(roles) == len(ENGINES)
    assert {"train", "test"} == set(roles.values())
    assert all(len(set(engine.levels)) == len(engine.levels) >= 5 for engine in ENGINES)


def test_an_engines_sessions_come_in_several_sizes_with_and_without_display() -> None:
    sessions = [ENGINES[0].session(number, 60.0) for number in range(6)]
    assert len({(session.size, session.status) for session in sessions}) == 6


def item(**fields: object) -> Item:
    defaults = {"id": "a", "role": "test", "package": "none-such", "licence": "CC0-1.0"}
    return Item(**{**defaults, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"paths": ["a.mp4"]}, "package none-such is not installed"),
        ({"paths": ["/none/such.mp4"]}, "no /none/such.mp4: is package none-such installed?"),
        ({"paths": ["a.mp4"], "archive": "a.whl"}, "a.whl: see deploy/footage/install"),
    ],
)
def test_what_is_not_there_is_not_shipped_and_says_what_is_missing(
    fields: dict[str, object], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(NotShipped) as refused:
        fetch(item(**fields), tmp_path, tmp_path)
    assert reason in str(refused.value)


def test_a_video_is_taken_from_a_wheel_as_it_is(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", [noise(1), noise(2)])
    with zipfile.ZipFile(tmp_path / "a-1-py3-none-any.whl", "w") as wheel:
        wheel.write(tmp_path / "in.mp4", "a/data/in.mp4")
    wanted = item(paths=["*/data/in.mp4"], archive="a-1-py3-none-any.whl")
    clip = fetch(wanted, tmp_path, tmp_path)
    assert (tmp_path / clip.file).read_bytes() == (tmp_path / "in.mp4").read_bytes()
    assert clip.seconds == 2.0
    assert "a-1-py3-none-any.whl" in clip.provenance


def test_pictures_of_one_name_are_all_kept(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "large.png").write_bytes(png())
    clip = fetch(item(paths=[f"{tmp_path}/in/*/large.png"], shape="pictures"), tmp_path, tmp_path)
    assert len(list((tmp_path / clip.file).iterdir())) == 2
    assert clip.seconds == 0.0


def test_a_sequence_becomes_video_at_its_frame_rate(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(png())
    wanted = item(paths=[f"{tmp_path}/?.png"], shape="sequence", frame_rate=3)
    assert fetch(wanted, tmp_path, tmp_path).seconds == 2.0


def test_a_sequence_with_a_file_that_is_no_picture_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "0.pgm").write_bytes(b"no picture")
    with pytest.raises(NotShipped, match=r"0\.pgm: no picture"):
        fetch(item(paths=[f"{tmp_path}/0.pgm"], shape="sequence"), tmp_path, tmp_path)


@pytest.mark.parametrize(("picture", "still"), [(lambda _: noise(0), True), (noise, False)])
def test_a_video_is_still_unless_its_pictures_change(
    picture: Callable[[int], np.ndarray], still: bool, tmp_path: Path
) -> None:
    write_video(tmp_path / "a.mp4", [picture(second) for second in range(4)])
    assert is_still(tmp_path / "a.mp4") is still


def test_a_program_that_is_missing_is_named_with_what_installs_it() -> None:
    with pytest.raises(CannotRecord, match=r"none-such is not installed: see deploy/footage/inst"):
        require("none-such")


def test_a_process_ends_with_its_block_and_so_do_its_children() -> None:
    with running(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=-1) as shell:
        assert shell.stdout is not None
        child = Path("/proc", shell.stdout.readline().decode().strip())
        assert child.exists()

    def gone() -> bool:
        try:
            return "(sleep) Z" in (child / "stat").read_text()
        except FileNotFoundError:
            return True

    wait_for(gone, 10.0, "the child lives on")
    assert shell.returncode is not None


def test_two_seconds_of_doom_are_rendered_and_move(tmp_path: Path) -> None:
    pytest.importorskip("vizdoom", reason="vizdoom is not installed", exc_type=ImportError)
    path = tmp_path / "doom.mp4"
    try:
        play_doom(Session("map02", 2.0, (320, 240), status=False, number=1), path)
    except CannotRecord as error:
        pytest.skip(str(error))
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 35
    assert (frames[0].width, frames[0].height) == (320, 240)
    assert not is_still(path)


@pytest.mark.e2e
def test_a_level_that_openarena_lacks_is_not_recorded(tmp_path: Path) -> None:
    for program in ("Xvfb", "/usr/games/openarena", "ffmpeg"):
        try:
            require(program)
        except CannotRecord as error:
            pytest.skip(str(error))
    with pytest.raises(CannotRecord, match="openarena: no level none-such"):
        play_openarena(Session("none-such", 2.0), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_what_can_not_be_had_is_printed_and_recorded_with_its_reason(tmp_path: Path) -> None:
    options = ["--out", tmp_path, "--archives", tmp_path / "none", "--minutes", 0]
    result = CliRunner().invoke(main, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    assert "city: skipped: not begun after 0 minutes: run this again" in result.output
    reasons = {skipped.id: skipped.reason for skipped in read_listing(tmp_path).skipped}
    assert reasons["nexuiz-aggressor"].startswith("not begun")


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    kept = Clip("city", "ordinary", "test", "city.mpg", "CC0-1.0", "made earlier")
    (tmp_path / "city.mpg").write_bytes(b"kept")
    write_listing(tmp_path, Listing([kept]))
    options = ["--out", str(tmp_path), "--minutes", "0", "--levels", "0"]
    CliRunner().invoke(main, options)
    assert kept in read_listing(tmp_path).clip
    assert (tmp_path / "city.mpg").read_bytes() == b"kept"

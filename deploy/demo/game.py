"""The demo's game clip: Freedoom played by a scripted player, the gun in view and the HUD on.

    python -m deploy.demo.game game.mp4

Shooting games are what the topology must not be fooled by, so the demo streams one beside the
footage that it must stop. Freedoom and its engine come with the `vizdoom` package.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vizdoom import DoomGame, GameState

SKILL = 2  # of 1 to 5: monsters that fight but seldom win
TICS_A_SECOND, TICS_A_FRAME = 35, 2
FIELD_OF_VIEW = 90.0  # degrees, at every picture size
TURN_LIMIT = 9.0  # degrees a frame; a quicker turn looks like no player's
NEAR = 12.0  # of the depth buffer's 0 to 255: a wall or a door within a few steps
HORIZON = 1 / 12  # of the picture's height: the band above the middle that the walker looks at
COLUMNS = 16  # parts of that band, between which it chooses


class GameUnavailable(Exception):
    """No clip can be rendered here; whoever runs the demo mends vizdoom or does without a game."""


@dataclass(frozen=True, slots=True)
class Play:
    """One playing of Freedoom. The same record gives the same frames."""

    level: str = "map02"
    """Of its second game; in this one there is a fight from the first second on."""
    seed: int = 11
    size: tuple[int, int] = (640, 480)
    """Width and height in pixels; a size that the engine has."""
    status: bool = True
    """Whether health and ammunition are shown."""
    weapon: int | None = None
    """Slot of the weapon in hand, 1 to 7, with all ammunition; None for the pistol one is given."""
    patience: float | None = None
    """Seconds for which the player fights before it walks on for as long: not all that is seen can
    be hit. None for one that always fights."""


def render_game(path: Path, seconds: float = 30.0, play: Play | None = None) -> None:
    """Writes `seconds` of play to `path` as H.264 at 17.5 frames a second of game time.

    Raises GameUnavailable, and then leaves no file.
    """
    play = play or Play()
    with _game(play) as game, av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(TICS_A_SECOND, TICS_A_FRAME))
        (stream.width, stream.height), stream.pix_fmt = play.size, "yuv420p"
        for pixels in _frames(game, round(seconds * TICS_A_SECOND / TICS_A_FRAME), play):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@contextlib.contextmanager
def _game(play: Play) -> Iterator["DoomGame"]:
    """A running game, without window and sound."""
    try:
        import vizdoom as vzd
    except (ImportError, SystemError) as error:  # SystemError: it was built for another Python
        raise GameUnavailable(f"vizdoom cannot be imported: {error}") from error
    game = vzd.DoomGame()
    game.set_doom_game_path(str(Path(vzd.install_path, "freedoom2.wad")))
    game.set_doom_map(play.level)
    game.set_doom_skill(SKILL)
    game.set_seed(play.seed)
    for button in ("MOVE_FORWARD", "TURN_LEFT_RIGHT_DELTA", "ATTACK", "USE"):
        game.add_available_button(getattr(vzd.Button, button))
    resolution = "RES_{}X{}".format(*play.size)
    game.set_screen_resolution(getattr(vzd.ScreenResolution, resolution))
    game.set_screen_format(vzd.ScreenFormat.RGB24)
    game.set_render_hud(play.status)  # the weapon is drawn unless one forbids it
    game.set_labels_buffer_enabled(True)
    game.set_depth_buffer_enabled(True)
    game.set_window_visible(False)
    game.add_game_args("-nosound")  # the engine stops where there is no sound device
    with tempfile.TemporaryDirectory() as scratch:
        game.set_doom_config_path(str(Path(scratch, "engine.ini")))
        try:
            with contextlib.chdir(scratch):  # the engine drops a folder where it starts
                game.init()
        except Exception as error:  # its errors have no narrower base in common
            raise GameUnavailable(f"the game engine does not start: {error}") from error
        with contextlib.closing(game):
            yield game


def _frames(game: "DoomGame", frames: int, play: Play) -> Iterator[npt.NDArray[np.uint8]]:
    """Yields RGB frames `[height, width, 3]`; death or the level's end starts the level again."""
    rng = np.random.default_rng(play.seed)
    turn = 0.0
    _arm(game, play.weapon)
    for number in range(frames):
        if game.is_episode_finished() or game.is_player_dead():
            game.new_episode()
            _arm(game, play.weapon)
        state = game.get_state()
        yield state.screen_buffer
        elapsed = number * TICS_A_FRAME / TICS_A_SECOND
        walks_on = play.patience is not None and int(elapsed / play.patience) % 2
        fight = None if walks_on else _fight(state, play)
        buttons = fight or _wander(state, play, rng, turn)
        buttons[1] = turn = float(np.clip(buttons[1], -TURN_LIMIT, TURN_LIMIT))
        game.make_action(buttons, TICS_A_FRAME)


def _arm(game: "DoomGame", weapon: int | None) -> None:
    if weapon is not None:
        game.send_game_command("give all")
        game.advance_action()  # what is given can be held from the next tic on
        game.send_game_command(f"slot {weapon}")


def _fight(state: "GameState", play: Play) -> list[float] | None:
    """Turns to the monster that looms largest and shoots when it is in the sights."""
    monsters = [label for label in state.labels or () if label.object_category == "Monster"]
    if not monsters:
        return None
    width = play.size[0]
    target = max(monsters, key=lambda label: label.width * label.height)
    offset = target.x + target.width / 2 - width / 2
    in_sights = abs(offset) < max(target.width / 2, width / 80)  # pixels
    return [not in_sights, offset * FIELD_OF_VIEW / width, in_sights, False]


def _wander(state: "GameState", play: Play, rng: np.random.Generator, turn: float) -> list[float]:
    """Walks to where the view is deepest; at a wall, tries it for a door and turns on."""
    width, height = play.size
    middle, band = height // 2, round(height * HORIZON)
    horizon = np.asarray(state.depth_buffer)[middle - band : middle].mean(axis=0)
    depths = horizon.reshape(COLUMNS, width // COLUMNS).mean(axis=1)
    ahead = depths[6:10]
    if ahead.min() < NEAR:
        return [ahead.mean() > NEAR / 2, TURN_LIMIT if turn >= 0 else -TURN_LIMIT, False, True]
    deepest = np.argmax(depths + rng.normal(0, 2, COLUMNS)) - (COLUMNS - 1) / 2
    return [True, deepest * FIELD_OF_VIEW / COLUMNS / 3, False, False]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Render the demo's game clip.")
    parser.add_argument("out", type=Path)
    render_game(parser.parse_args().out)

"""The demo's game clip: Freedoom played by a scripted player, the gun in view and the HUD on.

    python -m deploy.demo.game game.mp4

Shooting games are what the topology must not be fooled by, so the demo streams one beside the
footage that it must stop. Freedoom and its engine come with the `vizdoom` package.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vizdoom import DoomGame, GameState

LEVEL = "map02"  # a fight from the first second on
SKILL = 2  # of 1 to 5: monsters that fight but seldom win
TICS_A_SECOND, TICS_A_FRAME, WIDTH, HEIGHT = 35, 2, 640, 480
DEGREES_A_PIXEL = 90 / WIDTH  # the engine's field of view is 90 degrees
TURN_LIMIT = 9.0  # degrees a frame; a quicker turn looks like no player's
NEAR = 12.0  # of the depth buffer's 0 to 255: a wall or a door within a few steps


class GameUnavailable(Exception):
    """No clip can be rendered here; whoever runs the demo mends vizdoom or does without a game."""


def render_game(path: Path, seconds: float = 30.0, seed: int = 11) -> None:
    """Writes `seconds` of play to `path` as H.264 at 17.5 frames a second of game time.

    The same seed gives the same play. Raises GameUnavailable, and then leaves no file.
    """
    with _game(seed) as game, av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(TICS_A_SECOND, TICS_A_FRAME))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for pixels in _play(game, round(seconds * TICS_A_SECOND / TICS_A_FRAME), seed):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@contextlib.contextmanager
def _game(seed: int) -> Iterator["DoomGame"]:
    """A running game, without window and sound."""
    try:
        import vizdoom as vzd
    except (ImportError, SystemError) as error:  # SystemError: it was built for another Python
        raise GameUnavailable(f"vizdoom cannot be imported: {error}") from error
    game = vzd.DoomGame()
    game.set_doom_game_path(str(Path(vzd.install_path, "freedoom2.wad")))
    game.set_doom_map(LEVEL)
    game.set_doom_skill(SKILL)
    game.set_seed(seed)
    for button in ("MOVE_FORWARD", "TURN_LEFT_RIGHT_DELTA", "ATTACK", "USE"):
        game.add_available_button(getattr(vzd.Button, button))
    game.set_screen_resolution(vzd.ScreenResolution.RES_640X480)
    game.set_screen_format(vzd.ScreenFormat.RGB24)
    game.set_render_hud(True)  # the weapon is drawn unless one forbids it
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


def _play(game: "DoomGame", frames: int, seed: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yields RGB frames `[480, 640, 3]`; death or the level's end starts the level again."""
    rng = np.random.default_rng(seed)
    turn = 0.0
    for _ in range(frames):
        if game.is_episode_finished() or game.is_player_dead():
            game.new_episode()
        state = game.get_state()
        yield state.screen_buffer
        buttons = _fight(state) or _wander(state, rng, turn)
        buttons[1] = turn = float(np.clip(buttons[1], -TURN_LIMIT, TURN_LIMIT))
        game.make_action(buttons, TICS_A_FRAME)


def _fight(state: "GameState") -> list[float] | None:
    """Turns to the monster that looms largest and shoots when it is in the sights."""
    monsters = [label for label in state.labels or () if label.object_category == "Monster"]
    if not monsters:
        return None
    target = max(monsters, key=lambda label: label.width * label.height)
    offset = target.x + target.width / 2 - WIDTH / 2
    in_sights = abs(offset) < max(target.width / 2, 8)  # pixels
    return [not in_sights, offset * DEGREES_A_PIXEL, in_sights, False]


def _wander(state: "GameState", rng: np.random.Generator, turn: float) -> list[float]:
    """Walks to where the view is deepest; at a wall, tries it for a door and turns on."""
    horizon = np.asarray(state.depth_buffer)[HEIGHT // 2 - 40 : HEIGHT // 2].mean(axis=0)
    depths = horizon.reshape(16, WIDTH // 16).mean(axis=1)
    ahead = depths[6:10]
    if ahead.min() < NEAR:
        return [ahead.mean() > NEAR / 2, TURN_LIMIT if turn >= 0 else -TURN_LIMIT, False, True]
    deepest = np.argmax(depths + rng.normal(0, 2, 16)) - 7.5
    return [True, deepest * WIDTH / 16 * DEGREES_A_PIXEL / 3, False, False]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Render the demo's game clip.")
    parser.add_argument("out", type=Path)
    render_game(parser.parse_args().out)

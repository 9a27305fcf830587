"""Encode the rendered frames and write the label beside the clip.

    python encode.py FRAMES_DIR --firearm-from SECONDS --firearm-to SECONDS

The seconds are those that render.py prints, measured on the animation.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import av
from av.video.reformatter import Interpolation

FPS = 6
WIDTH, HEIGHT = 640, 360
HERE = Path(__file__).parent

LABEL = """\
# Ground truth of drill.mp4, measured on the animation and not on what a model sees in it.

title = "Drill: a rifle carried through an empty training range, first person, path-traced"
licence = "Apache-2.0"
made_with = "Blender 4.2 (Cycles), by the scripts beside this file"
firearm_from = {first}  # seconds from the start
firearm_to = {last}
sha256 = "{digest}"
"""


def encode(frames: Path, clip: Path) -> None:
    """Write the PNG files in ``frames``, in the order of their names, to ``clip`` as H.264."""
    with av.open(clip, "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, path in enumerate(sorted(frames.glob("*.png"))):
            with av.open(path) as picture:
                (frame,) = picture.decode(video=0)
            scaled = frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation=Interpolation.LANCZOS)
            scaled.pts, scaled.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(scaled))
        container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="Encode the drill clip and write its label.")
    parser.add_argument("frames", type=Path)
    parser.add_argument("--firearm-from", type=float, required=True)
    parser.add_argument("--firearm-to", type=float, required=True)
    given = parser.parse_args()
    clip = HERE / "drill.mp4"
    encode(given.frames, clip)
    digest = sha256(clip.read_bytes()).hexdigest()
    label = LABEL.format(first=given.firearm_from, last=given.firearm_to, digest=digest)
    clip.with_suffix(".toml").write_text(label)


if __name__ == "__main__":
    main()

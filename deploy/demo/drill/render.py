"""Render the drill clip: blender -b -P render.py -- OUT_DIR [--preview] [--only SECONDS ...]

Needs Blender 4.2, or its Python module (then: python render.py -- OUT_DIR ...).

Writes OUT_DIR/frame_0001.png and on, and prints the seconds between which any part of the
rifle is inside the picture, measured on the animation. `--preview` renders small and coarse;
`--only` renders just the frames at those seconds.
"""

from __future__ import annotations

import argparse
import math
import sys
from itertools import pairwise
from pathlib import Path

import bpy
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Matrix, Quaternion, Vector

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hands import build_hands
from rifle import LENGTH_CENTRE, build_rifle
from scene import SEED, build_scene

FPS = 6
SECONDS = 21.0
EYE_HEIGHT = 1.52

WALK: tuple[tuple[float, float, float, float, float], ...] = (
    (0.0, 0.10, -2.6, 3.0, -6.0),
    (2.5, 0.00, 0.4, -4.0, -5.0),
    (5.0, -0.10, 3.6, 6.0, -6.0),
    (7.0, 0.05, 6.0, 0.0, -8.0),
    (9.5, 0.00, 8.8, -3.0, -9.0),
    (12.0, 0.00, 11.4, 16.0, -8.0),
    (14.5, -0.20, 12.9, -20.0, -8.0),
    (17.0, 0.00, 14.6, -4.0, -10.0),
    (19.0, 0.20, 16.4, 5.0, -8.0),
    (21.0, 0.20, 18.0, 0.0, -6.0),
)
"""Camera keys: second, x and y of the wearer in metres, heading (degrees to the left of +Y)
and pitch (degrees above the horizon)."""

Pose = tuple[float, float, float, float, float, float, float]
CARRY: tuple[Pose, ...] = (
    (6.5, 0.10, -0.95, -0.50, 150.0, -20.0, 0.0),
    (7.7, 0.02, -0.07, -0.58, 158.0, -6.0, 8.0),
    (9.5, 0.00, -0.05, -0.56, 150.0, -8.0, 10.0),
    (11.5, 0.03, -0.08, -0.58, 165.0, -4.0, 6.0),
    (13.0, 0.01, -0.06, -0.56, 186.0, -8.0, 12.0),
    (14.5, 0.00, -0.05, -0.57, 172.0, -4.0, 6.0),
    (16.0, 0.02, -0.06, -0.55, 152.0, -8.0, 8.0),
    (18.4, 0.00, -0.06, -0.57, 162.0, -5.0, 8.0),
    (19.6, 0.10, -0.95, -0.50, 190.0, -20.0, 0.0),
)
"""Rifle keys: second, centre of the rifle in camera space (x right, y up, z backwards,
metres), direction of the muzzle in the picture plane (degrees, 180 is left, 90 up), tilt of
the muzzle towards the lens and roll of the sights towards the lens (degrees)."""


def interpolate(keys: tuple[tuple[float, ...], ...], second: float) -> list[float]:
    """Ease between the two keys around `second`; constant before the first and after the last."""
    if second <= keys[0][0]:
        return list(keys[0][1:])
    for before, after in pairwise(keys):
        if second <= after[0]:
            part = (second - before[0]) / (after[0] - before[0])
            part = part * part * (3.0 - 2.0 * part)
            return [a + (b - a) * part for a, b in zip(before[1:], after[1:], strict=True)]
    return list(keys[-1][1:])


def pose_camera(camera: bpy.types.Object, second: float) -> None:
    """Place the camera on the walk, with the bob of about 1.7 steps a second."""
    x, y, heading, pitch = interpolate(WALK, second)
    step = math.tau * 1.7 * second
    camera.location = (x + 0.012 * math.sin(step / 2), y, EYE_HEIGHT + 0.016 * math.sin(step))
    camera.rotation_euler = (
        math.radians(90.0 + pitch + 0.5 * math.sin(step + 0.6)),
        math.radians(0.8 * math.sin(step / 2)),
        math.radians(heading),
    )


def pose_rifle(rifle: bpy.types.Object, second: float) -> None:
    """Place the rifle in camera space: the key pose plus the sway of arms and breath."""
    x, y, z, aim, towards, roll = interpolate(CARRY, second)
    step = math.tau * 1.7 * second
    aim = math.radians(aim + 1.6 * math.sin(step / 2 + 0.5) + 1.0 * math.sin(1.9 * second))
    towards = math.radians(towards + 1.5 * math.sin(1.3 * second))
    muzzle = Vector(
        (math.cos(aim) * math.cos(towards), math.sin(aim) * math.cos(towards), math.sin(towards))
    )
    left = Vector((0.0, 0.0, 1.0))
    left = (left - muzzle * left.dot(muzzle)).normalized()
    axes = Matrix((muzzle, left, muzzle.cross(left))).transposed()
    turn = axes.to_quaternion() @ Quaternion((1.0, 0.0, 0.0), math.radians(-roll))
    rifle.rotation_quaternion = turn
    sway = Vector((0.008 * math.sin(step / 2), 0.010 * math.sin(step + 1.1), 0.0))
    rifle.location = Vector((x, y, z)) + sway - turn @ Vector(LENGTH_CENTRE)


def animate(camera: bpy.types.Object, rifle: bpy.types.Object) -> None:
    """Key the camera and the rifle on every frame."""
    for frame in range(1, round(SECONDS * FPS) + 1):
        second = (frame - 1) / FPS
        pose_camera(camera, second)
        pose_rifle(rifle, second)
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
        rifle.keyframe_insert("location", frame=frame)
        rifle.keyframe_insert("rotation_quaternion", frame=frame)


def visible_span(camera: bpy.types.Object, rifle: bpy.types.Object) -> tuple[float, float]:
    """Seconds of the first and the last frame with a corner of the rifle in the picture."""
    scene = bpy.context.scene
    points = [
        (part, vertex.co)
        for part in rifle.children
        if not part.name.endswith(("hand", "sleeve"))
        for vertex in part.data.vertices
    ]
    seen: list[float] = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        views = (world_to_camera_view(scene, camera, part.matrix_world @ co) for part, co in points)
        if any(0 <= v.x <= 1 and 0 <= v.y <= 1 and v.z > 0 for v in views):
            seen.append((frame - 1) / FPS)
    return seen[0], seen[-1]


def configure(preview: bool) -> None:
    """Set the path tracer, the denoiser and the picture size (pixels)."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, round(SECONDS * FPS)
    scene.render.fps = FPS
    scene.render.engine = "CYCLES"
    scene.render.threads_mode = "FIXED"
    scene.render.threads = 2
    scene.render.resolution_x, scene.render.resolution_y = (320, 180) if preview else (480, 270)
    scene.render.resolution_percentage = 100
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "Medium High Contrast"
    scene.view_settings.exposure = 0.6
    cycles = scene.cycles
    cycles.samples = 12 if preview else 16
    cycles.use_adaptive_sampling = True
    cycles.adaptive_threshold = 0.05
    cycles.seed = SEED % 1000
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.max_bounces = 4
    cycles.sample_clamp_indirect = 4.0
    cycles.caustics_reflective = cycles.caustics_refractive = False


def main() -> None:
    """Build, animate and render the clip."""
    parser = argparse.ArgumentParser(description="Render the drill clip.")
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--preview", action="store_true")
    parser.add_argument("--only", type=float, nargs="+", default=[])
    args = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    configure(args.preview)
    build_scene()
    data = bpy.data.cameras.new("body_camera")
    data.sensor_width = 36.0
    data.angle = math.radians(88.0)
    data.clip_start = 0.02
    camera = bpy.data.objects.new("body_camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    rifle = build_rifle()
    rifle.parent = camera
    build_hands(rifle, camera)
    animate(camera, rifle)
    first, last = visible_span(camera, rifle)
    print(f"firearm_from = {first:.3f}\nfirearm_to = {last:.3f}", flush=True)
    frames = [round(s * FPS) + 1 for s in args.only] or range(
        scene.frame_start, scene.frame_end + 1
    )
    for frame in frames:
        scene.frame_set(frame)
        scene.render.filepath = str(args.out_dir / f"frame_{frame:04d}.png")
        bpy.ops.render.render(write_still=True)


main()

"""The empty training building: a corridor that opens into a hall with targets.

World space: +Y is the way the wearer walks in, +X right, +Z up, floor at 0. Lengths are
metres, lamp powers watts, angles degrees.
"""

# ruff: noqa: PLR0917 - coordinates and sizes read best in their usual order

from __future__ import annotations

import math
import random

import bpy
from materials import masonry, surface
from mesh import Point3, add_bevel, box, loft, prism

SEED = 20240817


def _lamp(
    name: str,
    place: Point3,
    size: tuple[float, float],
    power: float,
    tube: bpy.types.Material,
    housing: bpy.types.Material,
    warmth: float,
) -> None:
    """Ceiling fixture facing down, with a visible diffuser; `warmth` 0 is blue, 1 yellow."""
    x, y, z = place
    data = bpy.data.lights.new(name, "AREA")
    data.shape = "RECTANGLE"
    data.size, data.size_y = size
    data.energy = power
    data.color = (1.0, 0.97 - 0.12 * warmth, 1.0 - 0.35 * warmth)
    lamp = bpy.data.objects.new(name, data)
    lamp.location = (x, y, z - 0.09)
    bpy.context.scene.collection.objects.link(lamp)
    box(f"{name}_housing", (x, y, z - 0.03), (size[0] + 0.08, size[1] + 0.08, 0.06), housing, 0.01)
    if power:
        box(f"{name}_tube", (x, y, z - 0.065), (*size, 0.02), tube, 0.008)


def _emitter(name: str, strength: float) -> bpy.types.Material:
    """Plain glowing diffuser, `strength` in watts per square metre."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Emission Color"].default_value = (1.0, 0.95, 0.86, 1.0)
    shader.inputs["Emission Strength"].default_value = strength
    return material


def _shell(steel: bpy.types.Material) -> None:
    """Floors, walls and ceilings of both rooms, dado paint and the opening between them."""
    along_y = masonry("blocks_y", (0.55, 0.54, 0.49), (0.36, 0.35, 0.32), "y")
    along_x = masonry("blocks_x", (0.55, 0.54, 0.49), (0.36, 0.35, 0.32), "x")
    dado_y = masonry("dado_y", (0.16, 0.22, 0.21), (0.10, 0.14, 0.13), "y")
    dado_x = masonry("dado_x", (0.16, 0.22, 0.21), (0.10, 0.14, 0.13), "x")
    floor = surface(
        "floor",
        (0.11, 0.108, 0.10),
        (0.25, 0.245, 0.23),
        scale=1.3,
        rough=0.42,
        bump=0.08,
        detail=12.0,
    )
    ceiling = surface("ceiling", (0.36, 0.36, 0.35), (0.47, 0.47, 0.45), scale=3.0, rough=0.9)
    paint = surface("lane_paint", (0.42, 0.30, 0.03), (0.62, 0.46, 0.06), scale=9.0, rough=0.6)
    box("floor", (0, 10, -0.1), (12, 32, 0.2), floor)
    box("corridor_ceiling", (0, 3, 2.85), (2.8, 14, 0.1), ceiling)
    box("hall_ceiling", (0, 17, 3.85), (11, 14.4, 0.1), ceiling)
    box("corridor_back", (0, -4.1, 1.5), (3, 0.2, 3), along_x)
    for side in (-1, 1):
        box("corridor_wall", (side * 1.4, 3, 1.5), (0.2, 14, 3), along_y)
        box("corridor_dado", (side * 1.297, 3, 0.55), (0.012, 14, 1.1), dado_y)
        box("hall_wall", (side * 5.1, 17, 2), (0.2, 14.4, 4), along_y)
        box("hall_dado", (side * 4.997, 17, 0.55), (0.012, 14, 1.1), dado_y)
        box("front_wall", (side * 2.9, 10, 2), (4.2, 0.2, 4), along_x)
        box("jamb", (side * 0.83, 10, 1.15), (0.08, 0.3, 2.3), steel, 0.01)
        box("lane", (side * 0.75, 15.5, 0.001), (0.06, 9, 0.004), paint)
    box("lintel_wall", (0, 10, 3.15), (1.8, 0.2, 1.7), along_x)
    box("lintel", (0, 10, 2.3), (1.74, 0.3, 0.08), steel, 0.01)
    box("hall_back", (0, 24.1, 2), (10.4, 0.2, 4), along_x)
    box("hall_back_dado", (0, 23.997, 0.55), (10, 0.012, 1.1), dado_x)


def _door(y: float, side: int, leaf: bpy.types.Material, steel: bpy.types.Material) -> None:
    """Closed steel door in the corridor wall at `y`, on the `side` (-1 left, 1 right)."""
    x = side * 1.29
    box("door_leaf", (x, y, 1.04), (0.05, 0.92, 2.08), leaf, 0.006)
    for offset in (-0.5, 0.5):
        box("door_post", (x, y + offset, 1.06), (0.09, 0.09, 2.14), steel, 0.008)
    box("door_head", (x, y, 2.14), (0.09, 1.09, 0.09), steel, 0.008)
    box("door_kick", (x - side * 0.027, y, 0.16), (0.004, 0.86, 0.26), steel, 0.001)
    box("door_plate", (x - side * 0.03, y - 0.38, 1.03), (0.012, 0.045, 0.2), steel, 0.004)
    box("door_lever", (x - side * 0.07, y - 0.33, 1.06), (0.02, 0.13, 0.02), steel, 0.008)


def _services(steel: bpy.types.Material) -> None:
    """Pipes and a cable tray under the corridor ceiling, hall beams."""
    for x, r in ((-1.1, 0.05), (-0.95, 0.03), (1.12, 0.04)):
        pipe = loft("pipe", [(-7, 0, 0, r, r), (7, 0, 0, r, r)], steel)
        pipe.location = (x, 3, 2.66)
        pipe.rotation_euler.z = math.radians(90)
    for y in (12.5, 15.5, 18.5, 21.5):
        box("beam", (0, y, 3.7), (10, 0.16, 0.24), steel, 0.01)


def _target(
    x: float,
    y: float,
    card: bpy.types.Material,
    timber: bpy.types.Material,
    mark: bpy.types.Material,
    turn: float,
) -> None:
    """Cut-corner cardboard target with a plain square mark on a wooden stand."""
    face = prism(
        "target",
        [(-0.23, -0.4), (0.23, -0.4), (0.23, 0.22), (0.1, 0.42), (-0.1, 0.42), (-0.23, 0.22)],
        0.004,
        card,
        0.0,
    )
    spot = prism(
        "mark", [(-0.08, -0.08), (0.08, -0.08), (0.08, 0.08), (-0.08, 0.08)], 0.0055, mark, 0.0
    )
    face.location = spot.location = (x, y, 1.25)
    face.rotation_euler.z = spot.rotation_euler.z = math.radians(turn)
    for offset in (-0.2, 0.2):
        box("stand", (x + offset, y + 0.04, 0.72), (0.04, 0.03, 1.44), timber, 0.003, turn)
    box("stand_foot", (x, y + 0.03, 0.03), (0.6, 0.4, 0.05), timber, 0.004, turn)


def _crate(
    x: float, y: float, z: float, size: float, turn: float, timber: bpy.types.Material
) -> None:
    """Wooden crate: a core with raised corner and edge battens."""
    core = box(
        "crate", (x, y, z + size / 2), (size * 0.94, size * 0.94, size * 0.94), timber, 0.004, turn
    )
    for height in (-0.47, 0.0, 0.47):
        batten = box("batten", (0, 0, height * size), (size, size, 0.07), timber, 0.006)
        batten.parent = core
    for sx in (-1, 1):
        for sy in (-1, 1):
            post = box(
                "post", (sx * 0.47 * size, sy * 0.47 * size, 0), (0.08, 0.08, size), timber, 0.006
            )
            post.parent = core


def _sandbags(
    x: float, y: float, layers: int, per_layer: int, cloth: bpy.types.Material, rng: random.Random
) -> None:
    """Staggered wall of sandbags running along X, its middle at the point given."""
    rings = [
        (-0.27, 0.03, 0.05),
        (-0.25, 0.05, 0.10),
        (-0.2, 0.07, 0.14),
        (-0.1, 0.082, 0.165),
        (0.05, 0.084, 0.17),
        (0.17, 0.074, 0.15),
        (0.24, 0.05, 0.11),
        (0.27, 0.03, 0.05),
    ]
    for layer in range(layers):
        for k in range(per_layer - layer % 2):
            bag = loft("sandbag", [(a, 0, 0, h, w) for a, h, w in rings], cloth, power=2.6)
            bag.location = (
                x + (k - (per_layer - 1) / 2 + 0.5 * (layer % 2)) * 0.5 + rng.uniform(-0.02, 0.02),
                y + rng.uniform(-0.03, 0.03),
                0.08 + 0.145 * layer,
            )
            bag.rotation_euler = (
                rng.uniform(-0.05, 0.05),
                rng.uniform(-0.06, 0.06),
                rng.uniform(-0.09, 0.09),
            )


def build_scene() -> None:
    """Build the whole building, its contents and its lighting."""
    rng = random.Random(SEED)  # noqa: S311 - places sandbags, no secrets
    steel = surface(
        "painted_steel",
        (0.16, 0.17, 0.17),
        (0.24, 0.25, 0.25),
        scale=5.0,
        rough=0.45,
        metallic=0.2,
        bump=0.02,
    )
    leaf = surface(
        "door_paint", (0.07, 0.10, 0.13), (0.10, 0.14, 0.18), scale=4.0, rough=0.4, bump=0.02
    )
    card = surface("cardboard", (0.36, 0.23, 0.12), (0.47, 0.31, 0.17), scale=12.0, rough=0.85)
    timber = surface(
        "timber",
        (0.30, 0.19, 0.09),
        (0.50, 0.34, 0.18),
        scale=9.0,
        rough=0.7,
        stretch=(0.5, 3.0, 3.0),
        bump=0.12,
        distortion=0.6,
    )
    mark = surface("mark", (0.02, 0.02, 0.02), (0.05, 0.05, 0.05), rough=0.8)
    cloth = surface(
        "sandbag_cloth", (0.24, 0.19, 0.12), (0.40, 0.33, 0.22), scale=40.0, rough=0.95, bump=0.5
    )
    rubber = surface("rubber", (0.02, 0.02, 0.02), (0.06, 0.058, 0.055), scale=6.0, rough=0.8)
    tube = _emitter("diffuser", 6.0)
    _shell(steel)
    _services(steel)
    for y, side in ((2.6, -1), (5.0, 1), (7.6, -1)):
        _door(y, side, leaf, steel)
    for k, (y, power) in enumerate(((-2.0, 45), (1.4, 45), (4.8, 55), (8.2, 18))):
        _lamp(f"corridor_{k}", (0.25, y, 2.8), (0.22, 1.25), power, tube, steel, 0.6)
    for k, (x, y, power) in enumerate(
        ((-2.4, 13, 110), (2.4, 13, 150), (-2.4, 19, 170), (2.4, 19, 60))
    ):
        _lamp(f"hall_{k}", (x, y, 3.75), (0.5, 1.6), power, tube, steel, 0.35 + 0.15 * k)
    for x in (-3.2, -1.1, 1.1, 3.2):
        _target(x, 21.5 + rng.uniform(-0.4, 0.4), card, timber, mark, rng.uniform(-8, 8))
    trap = box("bullet_trap", (0, 23.6, 1.2), (9.4, 0.4, 2.4), rubber, 0.02)
    add_bevel(trap, 0.01)
    _sandbags(-2.8, 14.6, 5, 5, cloth, rng)
    _sandbags(2.9, 18.2, 4, 5, cloth, rng)
    _crate(3.4, 13.2, 0.0, 0.8, 12, timber)
    _crate(4.2, 13.5, 0.0, 0.8, -5, timber)
    _crate(3.7, 13.3, 0.8, 0.6, 30, timber)
    _crate(1.0, 8.9, 0.0, 0.45, 8, timber)
    for k in range(3):
        box("partition", (-4.4 + 1.25 * k, 17.6, 1.2), (1.22, 0.03, 2.4), timber, 0.002)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.color = (0.02, 0.02, 0.02)

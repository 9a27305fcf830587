"""Gloved hands that hold the rifle, with sleeves that follow the wearer's elbows.

Everything is placed in rifle space (see rifle.py); lengths are metres.
"""

# ruff: noqa: PLR0917 - coordinates and sizes read best in their usual order

from __future__ import annotations

import bpy
from materials import surface
from mesh import Point3, blob, loft

Chain = list[tuple[float, float, float, float]]
"""Sphere centres and radii along a finger, palm or wrist."""

RIGHT_WRIST = (-0.055, -0.03, -0.075)
LEFT_WRIST = (0.262, 0.045, -0.075)
RIGHT_ELBOW = (0.42, -0.62, -0.12)
LEFT_ELBOW = (-0.42, -0.62, -0.16)
"""Elbows, in camera space: x right, y up, z backwards."""


def _right_hand() -> list[Chain]:
    """Hand on the pistol grip: three curled fingers, a straight index finger and a thumb."""
    chains: list[Chain] = []
    for k, depth in enumerate((0.022, 0.042, 0.062)):
        x, z, r = 0.034 - 0.34 * depth, -0.94 * depth, 0.0105 - 0.0006 * k
        chains.append(
            [
                (x - 0.02, -0.030, z, 0.013),
                (x + 0.016, -0.027, z, r),
                (x + 0.031, -0.006, z, r),
                (x + 0.026, 0.016, z, r),
                (x + 0.004, 0.026, z - 0.001, r * 0.9),
            ]
        )
    chains += [
        [(0.0, -0.028, -0.012, 0.013), (0.05, -0.026, 0.002, 0.0105), (0.1, -0.026, 0.004, 0.009)],
        [
            (-0.02, -0.012, -0.02, 0.017),
            (-0.006, 0.012, -0.008, 0.0135),
            (0.02, 0.025, -0.006, 0.0115),
            (0.046, 0.026, -0.009, 0.010),
        ],
        [(-0.004, -0.026, -0.015, 0.018), (-0.028, -0.02, -0.06, 0.02), (*RIGHT_WRIST, 0.027)],
        [(-0.018, -0.008, -0.03, 0.018), (-0.032, -0.01, -0.06, 0.021), (*RIGHT_WRIST, 0.028)],
    ]
    return chains


def _left_hand() -> list[Chain]:
    """Hand under the lower handguard: thumb along the near side, fingers round the far one."""
    chains: list[Chain] = []
    for k, x in enumerate((0.312, 0.333, 0.354, 0.374)):
        r = (0.0105, 0.0108, 0.0105, 0.0098)[k]
        chains.append(
            [
                (x - 0.004, 0.014, -0.022, 0.013),
                (x, -0.016, -0.020, r),
                (x + 0.002, -0.034, -0.004, r),
                (x + 0.002, -0.034, 0.018, r),
                (x, -0.022, 0.036, r * 0.85),
            ]
        )
    chains += [
        [
            (0.365, 0.006, -0.022, 0.014),
            (0.315, 0.01, -0.025, 0.018),
            (0.292, 0.022, -0.036, 0.022),
        ],
        [
            (0.292, 0.03, -0.032, 0.019),
            (0.31, 0.035, -0.008, 0.0145),
            (0.335, 0.035, 0.012, 0.0115),
            (0.366, 0.031, 0.023, 0.0100),
        ],
        [(0.35, 0.018, -0.02, 0.013), (0.3, 0.028, -0.034, 0.021), (*LEFT_WRIST, 0.029)],
    ]
    return chains


def _sleeve(
    name: str,
    wrist: Point3,
    elbow: Point3,
    rifle: bpy.types.Object,
    camera: bpy.types.Object,
    cloth: bpy.types.Material,
) -> None:
    """Forearm that starts at the wrist and always points at the camera-space elbow."""
    rings = [
        (0.008, 0.031),
        (0.012, 0.035),
        (0.03, 0.037),
        (0.04, 0.036),
        (0.055, 0.039),
        (0.08, 0.040),
        (0.1, 0.043),
        (0.13, 0.043),
        (0.16, 0.047),
        (0.2, 0.048),
        (0.3, 0.053),
        (0.45, 0.056),
    ]
    arm = loft(name, [(x, 0, 0, r, r * 0.96) for x, r in rings], cloth)
    arm.parent = rifle
    arm.location = wrist
    target = bpy.data.objects.new(f"{name}_elbow", None)
    bpy.context.scene.collection.objects.link(target)
    target.parent = camera
    target.location = elbow
    follow = arm.constraints.new("DAMPED_TRACK")
    follow.target = target
    follow.track_axis = "TRACK_X"


def build_hands(rifle: bpy.types.Object, camera: bpy.types.Object) -> None:
    """Attach both gloved hands and sleeves to the rifle."""
    glove = surface(
        "glove", (0.035, 0.034, 0.03), (0.085, 0.08, 0.068), scale=160.0, rough=0.8, bump=0.35
    )
    cloth = surface(
        "sleeve",
        (0.035, 0.042, 0.03),
        (0.075, 0.085, 0.06),
        scale=22.0,
        rough=0.9,
        bump=1.0,
        stretch=(2.0, 0.7, 0.7),
        distortion=1.0,
    )
    for name, chains in (("right_hand", _right_hand()), ("left_hand", _left_hand())):
        blob(name, chains, glove, voxel=0.0028).parent = rifle
    _sleeve("right_sleeve", RIGHT_WRIST, RIGHT_ELBOW, rifle, camera, cloth)
    _sleeve("left_sleeve", LEFT_WRIST, LEFT_ELBOW, rifle, camera, cloth)

"""A generic wood-stocked training rifle, made of lofts and prisms.

Rifle space: +X towards the muzzle, +Z up through the sights, +Y to the shooter's left; the
origin is the lower rear corner of the receiver. It is a picture of the outside only: solid
shapes without any working part. Lengths are metres, angles degrees.
"""

from __future__ import annotations

import bpy
from materials import surface, worn_metal
from mesh import loft, pin, prism, tube
from receiver import magazine, receiver

LENGTH_CENTRE = (0.19, 0.0, 0.02)
"""The point of rifle space about which the animation turns it."""


def _barrel(steel: bpy.types.Material, bare: bpy.types.Material) -> list[bpy.types.Object]:
    """Barrel, gas tube, gas and sight blocks, cleaning rod and muzzle brake."""
    parts = [
        tube("barrel", 0.25, 0.625, 0.024, 0.0082, steel),
        tube("gas_tube", 0.29, 0.462, 0.055, 0.0088, steel),
        tube("cleaning_rod", 0.42, 0.605, 0.0085, 0.0026, bare),
        tube("ferrule", 0.422, 0.434, 0.02, 0.0225, steel),
        prism(
            "gas_block",
            [
                (0.436, 0.012),
                (0.478, 0.012),
                (0.478, 0.034),
                (0.468, 0.05),
                (0.466, 0.066),
                (0.438, 0.066),
                (0.448, 0.036),
                (0.436, 0.034),
            ],
            0.0098,
            steel,
            0.002,
        ),
        prism(
            "front_sight",
            [
                (0.562, 0.005),
                (0.602, 0.012),
                (0.602, 0.034),
                (0.592, 0.046),
                (0.595, 0.078),
                (0.572, 0.078),
                (0.574, 0.046),
                (0.562, 0.034),
            ],
            0.0078,
            steel,
            0.002,
        ),
        pin("front_sight_hood", 0.5835, 0.081, 0.011, 0.006, steel),
        loft(
            "brake",
            [
                (0.6, 0.024, 0, 0.0112, 0.0112),
                (0.645, 0.024, 0, 0.0112, 0.0112),
                (0.65, 0.024, 0, 0.009, 0.009),
            ],
            steel,
        ),
        prism(
            "bayonet_lug",
            [(0.535, 0.004), (0.556, 0.004), (0.556, 0.02), (0.535, 0.02)],
            0.005,
            steel,
        ),
    ]
    parts += [
        pin(f"brake_port_{k}", 0.615 + 0.011 * k, 0.026, 0.0034, 0.0114, bare) for k in range(3)
    ]
    return parts


def _furniture(
    wood: bpy.types.Material, grip: bpy.types.Material, steel: bpy.types.Material
) -> list[bpy.types.Object]:
    """Wooden stock and handguards, pistol grip and butt plate."""
    return [
        prism(
            "stock",
            [
                (0.004, 0.039),
                (-0.03, 0.038),
                (-0.07, 0.032),
                (-0.248, 0.016),
                (-0.262, -0.1),
                (-0.245, -0.106),
                (-0.1, -0.042),
                (-0.05, -0.012),
                (0.004, 0.001),
            ],
            0.0175,
            wood,
            0.009,
            segments=5,
        ),
        prism(
            "butt_plate",
            [(-0.247, 0.018), (-0.253, 0.018), (-0.268, -0.1), (-0.26, -0.106)],
            0.0168,
            steel,
            0.003,
        ),
        loft(
            "lower_handguard",
            [
                (0.266, 0.019, 0, 0.019, 0.019),
                (0.272, 0.018, 0, 0.022, 0.022),
                (0.33, 0.016, 0, 0.024, 0.025),
                (0.39, 0.017, 0, 0.0225, 0.0235),
                (0.424, 0.019, 0, 0.02, 0.0215),
            ],
            wood,
            power=2.8,
            sides=36,
        ),
        loft(
            "upper_handguard",
            [
                (0.306, 0.052, 0, 0.013, 0.015),
                (0.31, 0.053, 0, 0.0165, 0.018),
                (0.36, 0.054, 0, 0.0175, 0.019),
                (0.412, 0.053, 0, 0.016, 0.0175),
                (0.417, 0.052, 0, 0.013, 0.015),
            ],
            wood,
            power=2.4,
            sides=36,
        ),
        loft(
            "grip",
            [
                (0.036, 0.006, -104, 0.021, 0.0145),
                (0.031, -0.012, -106, 0.019, 0.0145),
                (0.02, -0.045, -110, 0.0185, 0.0155),
                (0.007, -0.08, -112, 0.0205, 0.016),
                (0.001, -0.097, -108, 0.0215, 0.0155),
            ],
            grip,
            power=2.8,
        ),
    ]


def build_rifle() -> bpy.types.Object:
    """Build the rifle and return the empty that carries all its parts."""
    steel = worn_metal("rifle_steel", (0.022, 0.023, 0.026), (0.22, 0.22, 0.23), 0.42)
    bare = worn_metal("rifle_bright", (0.10, 0.10, 0.105), (0.35, 0.35, 0.36), 0.35)
    wood = surface(
        "rifle_wood",
        (0.10, 0.028, 0.008),
        (0.36, 0.12, 0.032),
        scale=14.0,
        rough=0.36,
        bump=0.05,
        stretch=(0.35, 4.0, 4.0),
        distortion=0.8,
    )
    grip = surface("rifle_grip", (0.09, 0.022, 0.01), (0.17, 0.045, 0.018), scale=60.0, rough=0.4)
    root = bpy.data.objects.new("rifle", None)
    bpy.context.scene.collection.objects.link(root)
    root.rotation_mode = "QUATERNION"
    for part in (
        *receiver(steel, bare),
        *_barrel(steel, bare),
        *magazine(steel),
        *_furniture(wood, grip, steel),
    ):
        part.parent = root
    return root

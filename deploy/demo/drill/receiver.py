"""The rifle's receiver group and magazine, in rifle space (see rifle.py)."""

from __future__ import annotations

import bpy
from mesh import arc, loft, pin, prism


def receiver(steel: bpy.types.Material, bare: bpy.types.Material) -> list[bpy.types.Object]:
    """Receiver box, ribbed top cover, side rail, selector, rivets and trigger group."""
    parts = [
        prism("receiver", [(0, 0), (0.262, 0), (0.262, 0.04), (0, 0.04)], 0.0165, steel, 0.0015),
        prism(
            "rail_line",
            [(0.004, 0.035), (0.24, 0.035), (0.24, 0.04), (0.004, 0.04)],
            0.0182,
            steel,
            0.0008,
        ),
        loft(
            "cover",
            [
                (0.0, 0.042, 0, 0.012, 0.013),
                (0.006, 0.044, 0, 0.019, 0.0165),
                (0.235, 0.044, 0, 0.019, 0.0165),
            ],
            steel,
            power=3.0,
        ),
        prism(
            "magwell_dimple",
            [(0.158, 0.012), (0.188, 0.012), (0.188, 0.026), (0.158, 0.026)],
            0.0174,
            steel,
            0.002,
        ),
        prism(
            "side_rail",
            [
                (0.045, 0.012),
                (0.055, 0.006),
                (0.128, 0.006),
                (0.138, 0.012),
                (0.138, 0.026),
                (0.045, 0.026),
            ],
            0.0035,
            steel,
            0.0012,
            y=0.0195,
        ),
        prism(
            "selector",
            [
                (0.04, 0.02),
                (0.06, 0.03),
                (0.15, 0.034),
                (0.15, 0.029),
                (0.06, 0.016),
                (0.045, 0.014),
            ],
            0.0012,
            steel,
            0.0005,
            y=-0.019,
        ),
        pin("charging_handle", 0.185, 0.044, 0.0045, 0.034, bare),
        loft(
            "trigger_guard",
            [
                (0.05, 0.0, -80, 0.0014, 0.007),
                (0.056, -0.026, -60, 0.0014, 0.007),
                (0.063, -0.032, -5, 0.0014, 0.007),
                (0.112, -0.034, 5, 0.0014, 0.007),
                (0.120, -0.028, 60, 0.0014, 0.007),
                (0.124, 0.0, 85, 0.0014, 0.007),
            ],
            steel,
            power=4.0,
        ),
        loft("trigger", arc(0.082, 0.002, (-115, -55), 0.03, 0.003, 0.003), bare),
        prism("mag_catch", [(0.126, 0), (0.136, 0), (0.134, -0.03), (0.128, -0.034)], 0.006, steel),
        prism(
            "rear_sight_base",
            [(0.235, 0.03), (0.302, 0.03), (0.302, 0.062), (0.285, 0.071), (0.24, 0.069)],
            0.0135,
            steel,
            0.002,
        ),
        prism(
            "rear_sight_leaf",
            [(0.222, 0.072), (0.29, 0.072), (0.29, 0.076), (0.23, 0.079), (0.222, 0.085)],
            0.007,
            steel,
            0.0008,
        ),
    ]
    parts += [
        loft(
            f"cover_rib_{k}",
            [
                (x - 0.006, 0.044, 0, 0.0192, 0.0167),
                (x - 0.003, 0.044, 0, 0.0204, 0.0178),
                (x + 0.003, 0.044, 0, 0.0204, 0.0178),
                (x + 0.006, 0.044, 0, 0.0192, 0.0167),
            ],
            steel,
            power=3.0,
        )
        for k, x in enumerate((0.05, 0.085, 0.12, 0.155, 0.19))
    ]
    rivets = (
        (0.012, 0.03),
        (0.012, 0.01),
        (0.03, 0.008),
        (0.145, 0.006),
        (0.205, 0.008),
        (0.225, 0.03),
        (0.25, 0.03),
        (0.25, 0.01),
        (0.083, 0.022),
        (0.12, 0.032),
    )
    parts += [pin(f"rivet_{k}", x, z, 0.0032, 0.0176, bare) for k, (x, z) in enumerate(rivets)]
    return parts


def magazine(steel: bpy.types.Material) -> list[bpy.types.Object]:
    """Curved box magazine with pressed ribs and a floor plate."""
    curve = (-90.0, -50.0)
    parts = [
        loft("magazine", arc(0.172, 0.01, curve, 0.225, 0.034, 0.0125, steps=16), steel, power=5.0)
    ]
    parts += [
        loft(
            f"magazine_rib_{k}",
            arc(0.172, -0.02, (-85, -50), 0.185, 0.0035, 0.0143, offset, 16),
            steel,
        )
        for k, offset in enumerate((-0.024, -0.008, 0.008, 0.024))
    ]
    x, z, tilt, _, _ = arc(0.172, 0.01, curve, 0.225, 0.034, 0.0125, steps=16)[-1]
    parts.append(
        loft(
            "floor_plate",
            arc(x, z, (tilt, tilt), 0.005, 0.0365, 0.0145, steps=1),
            steel,
            power=5.0,
        )
    )
    return parts

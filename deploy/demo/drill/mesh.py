"""Small mesh builders shared by the rifle, the hands and the building.

All lengths are metres and all angles degrees unless a docstring says otherwise.
"""

# ruff: noqa: PLR0917 - coordinates and sizes read best in their usual order

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import bmesh
import bpy
from mathutils import Matrix, Vector

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]
Station = tuple[float, float, float, float, float]
"""One loft ring: centre x, centre z, path direction in the XZ plane (degrees from +X
towards +Z), half extent across the path in that plane, half extent along Y."""


def link(name: str, mesh: bpy.types.Mesh, material: bpy.types.Material) -> bpy.types.Object:
    """Wrap a mesh in an object of the scene, with sharp edges kept above 35 degrees."""
    mesh.materials.append(material)
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=math.radians(35))
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def add_bevel(obj: bpy.types.Object, width: float, segments: int = 2) -> None:
    """Round the edges of an object by `width` metres."""
    bevel = obj.modifiers.new("bevel", "BEVEL")
    bevel.width = width
    bevel.segments = segments
    bevel.limit_method = "ANGLE"
    bevel.angle_limit = math.radians(30)


def box(
    name: str,
    centre: Point3,
    size: Point3,
    material: bpy.types.Material,
    bevel: float = 0.0,
    turn: float = 0.0,
) -> bpy.types.Object:
    """Axis-aligned box of full extents `size`, turned `turn` degrees about the vertical."""
    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()
    bmesh.ops.create_cube(shape, size=1.0, matrix=Matrix.Diagonal((*size, 1.0)))
    shape.to_mesh(mesh)
    shape.free()
    obj = link(name, mesh, material)
    obj.location = centre
    obj.rotation_euler.z = math.radians(turn)
    if bevel:
        add_bevel(obj, bevel)
    return obj


def prism(
    name: str,
    profile: Sequence[Point2],
    half_y: float,
    material: bpy.types.Material,
    bevel: float = 0.001,
    y: float = 0.0,
    segments: int = 2,
) -> bpy.types.Object:
    """Extrude an XZ outline by `half_y` to both sides of the plane at height `y`."""
    count = len(profile)
    verts = [(x, y + side * half_y, z) for side in (-1, 1) for x, z in profile]
    faces: list[Sequence[int]] = [range(count), range(2 * count - 1, count - 1, -1)]
    faces += [(i, i + count, (i + 1) % count + count, (i + 1) % count) for i in range(count)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(verts, [], faces)
    shape = bmesh.new()
    shape.from_mesh(mesh)
    bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    shape.to_mesh(mesh)
    shape.free()
    obj = link(name, mesh, material)
    if bevel:
        add_bevel(obj, bevel, segments)
    return obj


def loft(
    name: str,
    stations: Sequence[Station],
    material: bpy.types.Material,
    power: float = 2.0,
    sides: int = 24,
    y: float = 0.0,
) -> bpy.types.Object:
    """Skin superellipse rings (2 is an ellipse, more is boxier) along a path at depth `y`."""
    verts: list[Point3] = []
    for x, z, tilt, half_n, half_y in stations:
        across = (-math.sin(math.radians(tilt)), math.cos(math.radians(tilt)))
        for k in range(sides):
            c, s = math.cos(math.tau * k / sides), math.sin(math.tau * k / sides)
            side = half_y * math.copysign(abs(c) ** (2 / power), c)
            up = half_n * math.copysign(abs(s) ** (2 / power), s)
            verts.append((x + across[0] * up, y + side, z + across[1] * up))
    last = (len(stations) - 1) * sides
    faces: list[Sequence[int]] = [range(sides - 1, -1, -1), range(last, last + sides)]
    for ring in range(0, last, sides):
        for k in range(sides):
            n = (k + 1) % sides
            faces.append((ring + k, ring + n, ring + sides + n, ring + sides + k))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(verts, [], faces)
    shape = bmesh.new()
    shape.from_mesh(mesh)
    bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    shape.to_mesh(mesh)
    shape.free()
    return link(name, mesh, material)


def arc(
    x: float,
    z: float,
    angles: tuple[float, float],
    length: float,
    half_n: float,
    half_y: float,
    offset: float = 0.0,
    steps: int = 10,
) -> list[Station]:
    """Stations along a path whose direction turns evenly, shifted `offset` across it."""
    stations: list[Station] = []
    for k in range(steps + 1):
        tilt = angles[0] + (angles[1] - angles[0]) * k / steps
        rad = math.radians(tilt)
        stations.append(
            (x - math.sin(rad) * offset, z + math.cos(rad) * offset, tilt, half_n, half_y)
        )
        x += math.cos(rad) * length / steps
        z += math.sin(rad) * length / steps
    return stations


def tube(
    name: str,
    x0: float,
    x1: float,
    z: float,
    radius: float,
    material: bpy.types.Material,
    y: float = 0.0,
) -> bpy.types.Object:
    """Round bar along X from `x0` to `x1`."""
    return loft(name, [(x0, z, 0, radius, radius), (x1, z, 0, radius, radius)], material, y=y)


def pin(
    name: str, x: float, z: float, radius: float, half_y: float, material: bpy.types.Material
) -> bpy.types.Object:
    """Round bar along Y, centred on the XZ point given (rivets, axes)."""
    outline = [
        (x + radius * math.cos(math.tau * k / 14), z + radius * math.sin(math.tau * k / 14))
        for k in range(14)
    ]
    return prism(name, outline, half_y, material, bevel=0.0005)


def blob(
    name: str,
    chains: Iterable[Sequence[tuple[float, float, float, float]]],
    material: bpy.types.Material,
    voxel: float,
) -> bpy.types.Object:
    """Fuse chains of spheres (x, y, z, radius) into one soft body with `voxel` metre detail."""
    shape = bmesh.new()
    for chain in chains:
        for start, end in pairwise(chain):
            steps = max(2, int((Vector(start[:3]) - Vector(end[:3])).length / (0.35 * start[3])))
            for k in range(steps + 1):
                x, y, z, radius = Vector(start).lerp(Vector(end), k / steps)
                bmesh.ops.create_icosphere(
                    shape, subdivisions=2, radius=radius, matrix=Matrix.Translation((x, y, z))
                )
    mesh = bpy.data.meshes.new(name)
    shape.to_mesh(mesh)
    shape.free()
    obj = link(name, mesh, material)
    remesh = obj.modifiers.new("fuse", "REMESH")
    remesh.mode = "VOXEL"
    remesh.voxel_size = voxel
    remesh.use_smooth_shade = True
    smooth = obj.modifiers.new("smooth", "SMOOTH")
    smooth.iterations = 6
    return obj

"""Procedural materials: every texture is computed, none is an image."""

from __future__ import annotations

import bpy

Colour = tuple[float, float, float]


def _texture(tree: bpy.types.NodeTree, kind: str, stretch: Colour) -> bpy.types.Node:
    """Texture node fed with object coordinates (metres) scaled per axis by `stretch`."""
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = stretch
    node = tree.nodes.new(kind)
    tree.links.new(coordinates.outputs["Object"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], node.inputs["Vector"])
    return node


def surface(
    name: str,
    dark: Colour,
    light: Colour,
    *,
    scale: float = 8.0,
    rough: float = 0.6,
    metallic: float = 0.0,
    bump: float = 0.1,
    detail: float = 8.0,
    stretch: Colour = (1.0, 1.0, 1.0),
    contrast: float = 0.25,
    distortion: float = 0.0,
) -> bpy.types.Material:
    """Noise-mottled surface between two linear RGB colours.

    `scale` is in noise cells per metre, `contrast` (0 to 0.5) narrows the colour ramp and
    `bump` is the strength of the relief that the same noise gives.
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    noise = _texture(tree, "ShaderNodeTexNoise", stretch)
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    noise.inputs["Distortion"].default_value = distortion
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position = contrast
    ramp.color_ramp.elements[1].position = 1.0 - contrast
    ramp.color_ramp.elements[0].color = (*dark, 1.0)
    ramp.color_ramp.elements[1].color = (*light, 1.0)
    relief = tree.nodes.new("ShaderNodeBump")
    relief.inputs["Strength"].default_value = bump
    relief.inputs["Distance"].default_value = 0.01
    gloss = tree.nodes.new("ShaderNodeMapRange")
    gloss.inputs["To Min"].default_value = min(1.0, rough + 0.12)
    gloss.inputs["To Max"].default_value = max(0.05, rough - 0.12)
    shader.inputs["Metallic"].default_value = metallic
    for source, target in (
        (noise.outputs["Fac"], ramp.inputs["Fac"]),
        (noise.outputs["Fac"], relief.inputs["Height"]),
        (noise.outputs["Fac"], gloss.inputs["Value"]),
        (ramp.outputs["Color"], shader.inputs["Base Color"]),
        (gloss.outputs["Result"], shader.inputs["Roughness"]),
        (relief.outputs["Normal"], shader.inputs["Normal"]),
    ):
        tree.links.new(source, target)
    return material


def worn_metal(name: str, finish: Colour, bare: Colour, rough: float) -> bpy.types.Material:
    """Blued or parkerised steel whose convex edges are rubbed bright."""
    material = surface(
        name,
        finish,
        tuple(1.5 * c for c in finish),
        scale=90.0,
        rough=rough,
        metallic=0.85,
        bump=0.03,
    )
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    base = shader.inputs["Base Color"].links[0].from_socket
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    edge = tree.nodes.new("ShaderNodeMapRange")
    edge.inputs["From Min"].default_value = 0.54
    edge.inputs["From Max"].default_value = 0.64
    edge.inputs["To Max"].default_value = 0.7
    mix = tree.nodes.new("ShaderNodeMixRGB")
    mix.inputs["Color2"].default_value = (*bare, 1.0)
    tree.links.new(geometry.outputs["Pointiness"], edge.inputs["Value"])
    tree.links.new(edge.outputs["Result"], mix.inputs["Fac"])
    tree.links.new(base, mix.inputs["Color1"])
    tree.links.new(mix.outputs["Color"], shader.inputs["Base Color"])
    return material


def masonry(name: str, paint: Colour, mortar: Colour, along: str) -> bpy.types.Material:
    """Painted 40 by 20 cm blockwork for a wall running `along` "x" or "y"."""
    material = surface(
        name, tuple(0.82 * c for c in paint), paint, scale=2.0, rough=0.65, bump=0.05
    )
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    mottled = shader.inputs["Base Color"].links[0].from_socket
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    split = tree.nodes.new("ShaderNodeSeparateXYZ")
    plane = tree.nodes.new("ShaderNodeCombineXYZ")
    bricks = tree.nodes.new("ShaderNodeTexBrick")
    for key, value in (
        ("Scale", 1.0),
        ("Brick Width", 0.4),
        ("Row Height", 0.2),
        ("Mortar Size", 0.006),
        ("Mortar Smooth", 0.3),
    ):
        bricks.inputs[key].default_value = value
    mix = tree.nodes.new("ShaderNodeMixRGB")
    mix.inputs["Color2"].default_value = (*mortar, 1.0)
    relief = tree.nodes.new("ShaderNodeBump")
    relief.invert = True
    relief.inputs["Strength"].default_value = 0.6
    relief.inputs["Distance"].default_value = 0.008
    for source, target in (
        (geometry.outputs["Position"], split.inputs["Vector"]),
        (split.outputs[along.upper()], plane.inputs["X"]),
        (split.outputs["Z"], plane.inputs["Y"]),
        (plane.outputs["Vector"], bricks.inputs["Vector"]),
        (bricks.outputs["Fac"], mix.inputs["Fac"]),
        (mottled, mix.inputs["Color1"]),
        (mix.outputs["Color"], shader.inputs["Base Color"]),
        (bricks.outputs["Fac"], relief.inputs["Height"]),
        (relief.outputs["Normal"], shader.inputs["Normal"]),
    ):
        tree.links.new(source, target)
    return material

"""From a material to its program, and to the weights that it reads where they are no literals."""

from __future__ import annotations

from verdigris.export import heads, response
from verdigris.export.mixture import MixtureCode
from verdigris.export.networks import Networks
from verdigris.export.program import Program
from verdigris.export.surface import Surface
from verdigris.export.weights import Literals, Stored
from verdigris.model.neural import NeuralMaterial


def assemble(
    material: NeuralMaterial, weights: Literals, *, prefix: str = "vd", half: bool = False, stored: bool = False
) -> Program:
    """The program of a material.

    weights: how they are written; `Stored` ones are collected there. half: hidden layers in half precision.
    stored: latents lie in one buffer, else in a texture array.
    """
    surface, networks = Surface(material, prefix, stored), Networks(weights, half)
    mixture = MixtureCode(surface)
    return Program(
        prefix,
        surface.constants(),
        (surface.struct(), mixture.struct(), heads.struct(surface)),
        (
            *surface.functions(networks),
            *response.functions(surface, networks),
            *mixture.functions(networks),
            *heads.functions(surface, networks),
        ),
    )


def weight_blocks(material: NeuralMaterial, *, half: bool = False) -> bytes:
    """What a module with `weights="buffer"` reads: little-endian vectors of four, of float16 if `half`, else float32.

    Filled up with zeros to a multiple of 16 bytes.
    """
    stored = Stored("vd")
    assemble(material, stored, half=half)
    content = stored.vectors.astype("<f2" if half else "<f4").tobytes()
    return content + bytes(-len(content) % 16)

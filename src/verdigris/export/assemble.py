"""From a material to its program, and to the weights that it reads where they are no literals."""

from __future__ import annotations

import re

from verdigris.errors import ExportError
from verdigris.export import heads, response
from verdigris.export.mixture import MixtureCode
from verdigris.export.networks import Networks
from verdigris.export.program import Program
from verdigris.export.surface import Surface
from verdigris.export.weights import Stored, Weights
from verdigris.model.neural import NeuralMaterial

PREFIX = re.compile(r"[a-z][a-z0-9]{0,30}")
"""What names may begin with: no underscore, which GLSL and C++ reserve in pairs."""


def assemble(
    material: NeuralMaterial,
    weights: Weights,
    *,
    prefix: str = "vd",
    half: bool = False,
    stored: bool = False,
    coded: bool = False,
) -> Program:
    """The program of a material. Raises ExportError for a prefix that is no name, and for codes that there are not.

    weights: how they are written; `Stored` ones are collected there. half: products of hidden layers in half precision.
    stored: latents lie in one buffer, else in a texture array. coded: the texture holds codes of 8 bits or less.
    """
    if not PREFIX.fullmatch(prefix):
        raise ExportError(f"prefix: expected up to 31 lower-case letters and digits, a letter first, got {prefix!r}")
    if coded and not material.grids:
        raise ExportError("codes: expected latents of 8 or 4 bits (verdigris bake --latent-bits), got 16")
    return program_of(Surface(material, prefix, stored, coded), Networks(weights, half))


def program_of(surface: Surface, networks: Networks) -> Program:
    """All definitions around a surface, its networks written in that way."""
    mixture = MixtureCode(surface)
    return Program(
        surface.prefix,
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

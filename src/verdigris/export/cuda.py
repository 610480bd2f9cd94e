"""A material as a header in C++11 without dependencies, whose functions are those of CUDA devices too."""

from __future__ import annotations

from importlib.resources import files

from verdigris.export.assemble import assemble
from verdigris.export.syntax.cpp import Cpp
from verdigris.export.weights import BLOCK, Literals
from verdigris.model.neural import NeuralMaterial


def header(material: NeuralMaterial, *, prefix: str = "vd") -> str:
    """The text of a header; its interface: docs/export.md.

    `PREFIX_fetch` takes a pointer to `latents.packed_halves` first, in the memory of the device that runs it.
    """
    program = assemble(material, Literals(), prefix=prefix, stored=True)
    math = (files("verdigris.export") / "templates" / "math.h").read_text()
    parts = str(-(-material.config.channels // BLOCK))
    for name, value in (("@VD@", prefix.upper()), ("@vd@", prefix), ("@parts@", parts)):
        math = math.replace(name, value)
    return f"#pragma once\n\n{math}\n{Cpp(prefix).module(program, '')}"

"""Runs Slang's CPU target: the C++ that its compiler makes of a batch shader, built by g++ and called from here."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export.shader_queries import OUTPUTS, Queries
from verdigris.export import batch, cooperative, latents, slang
from verdigris.model import NeuralMaterial

ANSWER = np.dtype([(name, "f4", batch.ANSWER[name].itemsize // 4) for name in batch.ANSWER.names])
"""An answer in C++, where vectors are not aligned; a query is twelve numbers there, as `Queries.packed` has them."""


class _Buffer(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("count", ctypes.c_size_t))


def run(source: str, options: tuple[str, ...], buffers: list[bytes], asked: Queries, folder: Path) -> np.ndarray:
    """Answers of a batch shader by field. buffers: what it reads before the queries, in the order of its bindings.

    Skips without Slang or g++.
    """
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    (folder / "made.cpp").write_bytes(slang.compile_source(source, "cpp", batch.ENTRY_POINT, options))
    library = folder / "made.so"
    flags = ("-std=c++17", "-O1", "-fPIC", "-shared", "-w")
    subprocess.run(["g++", *flags, str(folder / "made.cpp"), "-o", str(library)], check=True, capture_output=True)
    packed = asked.packed()
    asks = packed.view(np.uint32)
    asks[:, 2] = packed[:, 2].astype(np.uint32)
    answers = np.zeros(len(asks), ANSWER)
    count, groups = ctypes.c_uint32(len(asks)), -(-len(asks) // batch.GROUP)
    read = [np.frombuffer(content, np.uint8) for content in buffers]
    handed = [_Buffer(array.ctypes.data, array.nbytes) for array in read]
    handed += [_Buffer(asks.ctypes.data, len(asks)), _Buffer(answers.ctypes.data, len(answers))]

    class Globals(ctypes.Structure):
        _fields_ = (("buffers", _Buffer * len(handed)), ("count", ctypes.POINTER(ctypes.c_uint32)))

    told = Globals((_Buffer * len(handed))(*handed), ctypes.pointer(count))
    extent = (ctypes.c_uint32 * 6)(0, 0, 0, groups, 1, 1)
    ctypes.CDLL(str(library))[batch.ENTRY_POINT](extent, None, ctypes.byref(told))
    return answers


def table(answers: np.ndarray) -> np.ndarray:
    """Answers of a batch shader as `shader_queries.check` takes them, `[n, 32]`."""
    columns = ("response", "pdf", "sampled", "albedo", "opacity", "guide_albedo", "roughness", "guide_normal")
    made = np.zeros((len(answers), 4 * OUTPUTS), np.float32)
    made[:, :19] = np.concatenate([answers[name].reshape(len(answers), -1) for name in columns], axis=1)
    made[:, 20:23] = answers["emission"]
    return made


def run_batch(
    material: NeuralMaterial, asked: Queries, folder: Path, half: bool = False, cooperating: bool = False
) -> np.ndarray:
    """Answers `[n, 32]` of the functions in HLSL and Slang. cooperating: by that variant of the networks."""
    source = batch.shader(material, latents="buffer", half=half, cooperative=cooperating)
    buffers, options = [latents.packed_halves(material)], ()
    if cooperating:
        buffers, options = [*buffers, cooperative.matrices(material)], ("-DVD_COOPERATIVE",)
    return table(run(source, options, buffers, asked, folder))

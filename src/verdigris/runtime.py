"""Finds libLLVM and sets the Mitsuba variant: the only place that touches the environment."""

from __future__ import annotations

import ctypes
import importlib
import math
import os
import site
import sys
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.errors import RuntimeMissing

LLVM_VARIABLE = "DRJIT_LIBLLVM_PATH"
LLVM_MINIMUM = 17
"""LLVM 15 and 16 pass Dr.Jit's start-up and abort the process at the first path-traced render."""

VARIANT = "llvm_ad_rgb"

ALIGNMENT_BYTES = 64
"""Of what Dr.Jit loads in packets: the width of its widest vectors."""

TEXTURE_BUDGET_VARIABLE = "VERDIGRIS_TEXTURE_MIB"
TEXTURE_BUDGET_MIB = 4096
"""Memory that the textures of one material may take as float32; loading needs up to twice the largest one more."""


def llvm_version(library: Path | str) -> int:
    """Major version of a libLLVM file; 0 where it is older than the call that tells (16).

    Raises RuntimeMissing when the file cannot be loaded.
    """
    try:
        handle = ctypes.CDLL(str(library))
    except OSError as error:
        raise RuntimeMissing(f"{LLVM_VARIABLE}: cannot load {library}: {error}") from error
    try:
        query = handle.LLVMGetVersion
    except AttributeError:
        return 0
    major = ctypes.c_uint(0)
    query(ctypes.byref(major), None, None)
    return major.value


def _packaged_llvm() -> Path | None:
    """The libLLVM that karellen-llvm-core puts beside the environment's Python, if there is one."""
    roots = [Path(sys.prefix), Path(site.getuserbase())]
    for root in roots:
        for pattern in ("libLLVM.so", "libLLVM*.so*", "libLLVM.dylib"):
            found = sorted((root / "lib").glob(pattern))
            if found:
                return found[0]
    return None


def announce_llvm() -> None:
    """Names the packaged libLLVM in the environment, unless one is named or Dr.Jit is imported already.

    Dr.Jit loads whatever libLLVM it finds the moment it is imported, often one of the system's that aborts the process
    later; so the package calls this when it is imported itself. Nothing is loaded here.
    """
    if "drjit" not in sys.modules and not os.environ.get(LLVM_VARIABLE):
        packaged = _packaged_llvm()
        if packaged is not None:
            os.environ[LLVM_VARIABLE] = str(packaged)


def configure_llvm() -> str:
    """Points Dr.Jit at a libLLVM that works and returns its path; must run before Dr.Jit is imported.

    `DRJIT_LIBLLVM_PATH` wins when it is set. Raises RuntimeMissing when there is none, or when it is too old.
    """
    chosen = os.environ.get(LLVM_VARIABLE) or _packaged_llvm()
    if chosen is None:
        raise RuntimeMissing(
            f"no libLLVM found: expected one of `pip install karellen-llvm-core` in {sys.prefix}/lib, "
            f"or {LLVM_VARIABLE} set to libLLVM {LLVM_MINIMUM} or newer"
        )
    version = llvm_version(chosen)
    if version < LLVM_MINIMUM:
        got = f"version {version}" if version else "a version before 16"
        raise RuntimeMissing(f"{chosen}: expected libLLVM {LLVM_MINIMUM} or newer, got {got}")
    os.environ[LLVM_VARIABLE] = str(chosen)
    return str(chosen)


def check_loaded_llvm() -> None:
    """Raises RuntimeMissing when the libLLVM that Dr.Jit has loaded is missing or too old.

    A script that imports Mitsuba before Verdigris gets one that nobody chose.
    """
    loaded = importlib.import_module("drjit").detail.llvm_version()
    if not loaded or loaded[0] < LLVM_MINIMUM:
        got = ".".join(map(str, loaded)) if loaded and loaded[0] > 0 else "none"
        raise RuntimeMissing(
            f"Dr.Jit was imported first and loaded libLLVM {got}, expected {LLVM_MINIMUM} or newer: "
            f"import verdigris before mitsuba and drjit, or set {LLVM_VARIABLE}"
        )


def mitsuba(variant: str | None = None) -> Any:
    """The Mitsuba module with a variant set: the one in force, else `variant`, else `llvm_ad_rgb`.

    Raises RuntimeMissing when Mitsuba or libLLVM is missing or too old, or when the variant in force is another one.
    """
    if "drjit" not in sys.modules and (variant or VARIANT).startswith("llvm"):
        configure_llvm()
    try:
        mi = importlib.import_module("mitsuba")
    except ImportError as error:
        raise RuntimeMissing(f"mitsuba cannot be imported ({error}): pip install mitsuba") from error
    wanted = variant or mi.variant() or VARIANT
    if wanted.startswith("llvm"):
        check_loaded_llvm()
    if mi.variant() is None:
        mi.set_variant(wanted)
    if mi.variant() != wanted:
        raise RuntimeMissing(f"Mitsuba variant: expected {wanted}, got {mi.variant()}, set earlier in this process")
    return mi


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy in `aligned_room`."""
    result = aligned_room(array.shape, array.dtype)
    result[...] = array
    return result


def aligned_room(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Zeros that start at a multiple of ALIGNMENT_BYTES.

    Dr.Jit reads a NumPy array where it lies. What starts elsewhere it gathers entry by entry, by another kernel:
    slower, and chance decides which of the two a process has to compile.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + ALIGNMENT_BYTES, np.uint8)
    start = -room.ctypes.data % ALIGNMENT_BYTES
    return room[start : start + size].view(dtype).reshape(shape)


def cache_directory(name: str) -> Path | None:
    """A writable folder for what can be computed again: `verdigris/name` under XDG_CACHE_HOME, else under ~/.cache.

    None where it cannot be made or written; the caller then works without.
    """
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "verdigris" / name
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def texture_budget_bytes() -> int:
    """Bytes that the textures of one material may take: VERDIGRIS_TEXTURE_MIB, else TEXTURE_BUDGET_MIB.

    Raises RuntimeMissing where the variable holds no positive whole number.
    """
    text = os.environ.get(TEXTURE_BUDGET_VARIABLE) or str(TEXTURE_BUDGET_MIB)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise RuntimeMissing(f"{TEXTURE_BUDGET_VARIABLE}: expected a positive whole number of MiB, got {text!r}")
    return int(text) << 20

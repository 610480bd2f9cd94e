"""Finds libLLVM and sets the Mitsuba variant: the only place that touches the environment."""

from __future__ import annotations

import ctypes
import importlib
import os
import site
import sys
from pathlib import Path
from typing import Any

from verdigris.errors import RuntimeMissing

LLVM_VARIABLE = "DRJIT_LIBLLVM_PATH"
LLVM_MINIMUM = 17
"""LLVM 15 and 16 pass Dr.Jit's start-up and abort the process at the first path-traced render."""

VARIANT = "llvm_ad_rgb"


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


def configure_llvm() -> str:
    """Points Dr.Jit at a libLLVM that works and returns its path; must run before Dr.Jit starts LLVM.

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


def mitsuba(variant: str | None = None) -> Any:
    """The Mitsuba module with a variant set: the one in force, else `variant`, else `llvm_ad_rgb`.

    Raises RuntimeMissing when Mitsuba or libLLVM is missing, or when the variant in force is another one.
    """
    if "mitsuba" not in sys.modules or importlib.import_module("mitsuba").variant() is None:
        if (variant or VARIANT).startswith("llvm"):
            configure_llvm()
    try:
        mi = importlib.import_module("mitsuba")
    except ImportError as error:
        raise RuntimeMissing(f"mitsuba cannot be imported ({error}): pip install mitsuba") from error
    if mi.variant() is None:
        mi.set_variant(variant or VARIANT)
    wanted = variant or mi.variant()
    if mi.variant() != wanted:
        raise RuntimeMissing(f"Mitsuba variant: expected {wanted}, got {mi.variant()}, set earlier in this process")
    return mi

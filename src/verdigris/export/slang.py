"""The Slang compiler that comes with `slangpy`, called by its C interface: no device is needed, no window, no GPU."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.errors import ExportError, RuntimeMissing

LIBRARIES = ("libslang-compiler.so*", "libslang-compiler*.dylib", "slang-compiler.dll", "libslang.so", "slang.dll")
"""Names of the compiler's library on every system, by age."""

SPIRV_HEADER, OP_SOURCE = 5, 3
"""Words before the first instruction of SPIR-V; number of the one that names the source language, in its first word."""

QUIET = ("-warnings-disable", "30081")
"""Literals become halves without a word."""


def compile_source(source: str, target: str, entry: str, options: Sequence[str] = ()) -> bytes:
    """What a compute shader becomes in another language.

    target: `metal`, `spirv`, `cuda`, `hlsl`, `glsl`, `wgsl` or `cpp`. entry: name of the entry point; `main` is none.
    options: more of slangc's. Raises RuntimeMissing without the package, ExportError with the compiler's complaint.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "source.slang"
        written.write_text(source)
        made = _run([str(written), "-target", target, "-entry", entry, "-stage", "compute", *QUIET, *options])
    return _without_source_language(made) if target == "spirv" else made


def _without_source_language(code: bytes) -> bytes:
    """SPIR-V that names no source language: validators from before Slang had a number refuse to read on."""
    words = np.frombuffer(code, "<u4").copy()
    at = SPIRV_HEADER
    while at < len(words):
        length, operation = int(words[at]) >> 16, int(words[at]) & 0xFFFF
        if operation == OP_SOURCE:
            words[at + 1] = 0
        at += length
    return words.tobytes()


def _run(arguments: Sequence[str]) -> bytes:
    library = _library()
    session = library.spCreateSession(None)
    request = library.spCreateCompileRequest(session)
    try:
        words = (ctypes.c_char_p * len(arguments))(*(word.encode() for word in arguments))
        failed = library.spProcessCommandLineArguments(request, words, len(arguments)) < 0
        if failed or library.spCompile(request) < 0:
            said = (library.spGetDiagnosticOutput(request) or b"").decode().strip()
            complaints = [line for line in said.splitlines() if "error" in line]
            raise ExportError(f"slang: {complaints[0] if complaints else said or 'the compiler failed without a word'}")
        size = ctypes.c_size_t()
        code = library.spGetCompileRequestCode(request, ctypes.byref(size))
        return ctypes.string_at(code, size.value)
    finally:
        library.spDestroyCompileRequest(request)
        library.spDestroySession(session)


@cache
def _library() -> Any:
    spec = find_spec("slangpy")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for folder in folders for name in LIBRARIES for path in sorted(Path(folder).rglob(name))]
    if not found:
        raise RuntimeMissing("this target needs the Slang compiler: pip install 'verdigris[slang]'")
    library = ctypes.CDLL(str(found[0]))
    pointer = ctypes.c_void_p
    for name, result, arguments in (
        ("spCreateSession", pointer, [ctypes.c_char_p]),
        ("spCreateCompileRequest", pointer, [pointer]),
        ("spProcessCommandLineArguments", ctypes.c_int, [pointer, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int]),
        ("spCompile", ctypes.c_int, [pointer]),
        ("spGetCompileRequestCode", pointer, [pointer, ctypes.POINTER(ctypes.c_size_t)]),
        ("spGetDiagnosticOutput", ctypes.c_char_p, [pointer]),
        ("spDestroyCompileRequest", None, [pointer]),
        ("spDestroySession", None, [pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library

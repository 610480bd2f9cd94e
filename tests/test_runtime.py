"""libLLVM: the packaged one is taken, a wrong one is an error in one line, and never an abort."""

import os
import subprocess
import sys

import numpy as np
import pytest

from verdigris import runtime
from verdigris.errors import RuntimeMissing


def run(code, **variables):
    """Runs code in a process of its own, where nothing is loaded yet, without our own DRJIT_LIBLLVM_PATH."""
    env = {name: value for name, value in os.environ.items() if name != runtime.LLVM_VARIABLE}
    return subprocess.run([sys.executable, "-c", code], env={**env, **variables}, capture_output=True, text=True)


def test_import_is_quick_and_light():
    done = run("import sys, verdigris; print(*{'mitsuba', 'drjit', 'jax', 'MaterialX', 'typer'} & set(sys.modules))")
    assert done.stdout.strip() == "", done.stderr


def test_importing_verdigris_first_gives_dr_jit_a_good_llvm():
    done = run("import verdigris, drjit; print(drjit.detail.llvm_version()[0])")
    if runtime._packaged_llvm() is None:
        pytest.skip("no packaged libLLVM in this environment")
    assert int(done.stdout) >= runtime.LLVM_MINIMUM, done.stderr


def test_an_old_llvm_loaded_by_someone_else_is_an_error_not_an_abort(monkeypatch):
    import drjit

    class Detail:
        @staticmethod
        def llvm_version():
            return (15, 0, 6)

    runtime.mitsuba()
    monkeypatch.setattr(drjit, "detail", Detail)
    with pytest.raises(RuntimeMissing, match=r"loaded libLLVM 15\.0\.6, expected 17 or newer: import verdigris before"):
        runtime.mitsuba()


def test_a_named_library_that_is_none(tmp_path):
    fake = tmp_path / "libLLVM.so"
    fake.write_text("not a library")
    code = "from verdigris import runtime, VerdigrisError\ntry: runtime.mitsuba()\nexcept VerdigrisError as e: print(e)"
    done = run(code, DRJIT_LIBLLVM_PATH=str(fake))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DRJIT_LIBLLVM_PATH: cannot load") and done.stdout.count("\n") == 1


def test_version_of_the_packaged_library():
    packaged = runtime._packaged_llvm()
    if packaged is None:
        pytest.skip("no packaged libLLVM in this environment")
    assert runtime.llvm_version(packaged) >= runtime.LLVM_MINIMUM


def test_cache_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert runtime.cache_directory("jax") == tmp_path / "verdigris" / "jax"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert runtime.cache_directory("jax") is None


@pytest.mark.parametrize("size", range(1, 40))
def test_an_aligned_copy_starts_where_packets_can(size):
    array = np.arange(2 * size, dtype=np.float32).reshape(2, size)
    copy = runtime.aligned(array)
    assert copy.ctypes.data % runtime.ALIGNMENT_BYTES == 0
    assert copy.dtype == array.dtype and np.array_equal(copy, array) and not np.shares_memory(copy, array)

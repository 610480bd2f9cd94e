"""Fixtures every test may use."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import verdigris  # noqa: F401  before any test imports drjit, which loads a libLLVM at once
from export.browser import launched

ROOT = Path(__file__).resolve().parents[1]


def shared_folder() -> Path:
    """The folder of real materials and meshes: VERDIGRIS_SHARED, else `shared` beside the checkout."""
    return Path(os.environ.get("VERDIGRIS_SHARED") or ROOT.parent / "shared")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed, so that a failure repeats."""
    return np.random.default_rng(20240817)


@pytest.fixture(scope="session")
def shared_materials() -> Path:
    """The folder of real `.mtlx` documents; skips where it is absent."""
    folder = shared_folder() / "materials"
    if not folder.is_dir():
        pytest.skip("the shared materials are absent: set VERDIGRIS_SHARED to the folder that holds materials/")
    return folder


@pytest.fixture(scope="session")
def shared_geometry() -> Path:
    """The folder of test meshes; skips where it is absent."""
    folder = shared_folder() / "geometry"
    if not folder.is_dir():
        pytest.skip("the shared meshes are absent: set VERDIGRIS_SHARED to the folder that holds geometry/")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium with WebGPU on its software renderer, one for all tests; skips where there is none."""
    with launched() as opened:
        yield opened


@pytest.fixture
def heeding_interrupts():
    """What a shell starts in the background ignores SIGINT and hands that on: so would processes that a test starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

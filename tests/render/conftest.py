"""Mitsuba and Dr.Jit for the tests of the renderer."""

from importlib import import_module

import pytest

from verdigris.runtime import mitsuba


@pytest.fixture
def mi():
    """Mitsuba, with a variant set."""
    return mitsuba()


@pytest.fixture
def dr(mi):
    """Dr.Jit, imported once libLLVM is found."""
    return import_module("drjit")

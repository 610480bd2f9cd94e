"""Grids: codes and values, exactly, and what is no grid."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_samples import coded, random_material
from verdigris.model.grid import STEPS_MAX, Grid, check_grids

halves = st.floats(-65504, 65504, width=16)
positive = st.floats(2**-24, 65504, width=16)


def single(*numbers):
    return np.array(numbers, np.float32)


@given(bits=st.sampled_from([8, 4]), offset=halves, scale=positive)
def test_every_code_comes_back(bits, offset, scale):
    """Down to the smallest scale that an offset allows, single precision tells all codes apart."""
    scale = max(scale, float(np.float16(min(abs(offset) / STEPS_MAX * 1.001, 65504))))
    if scale * STEPS_MAX < abs(offset):
        return
    grid, codes = Grid(bits, single(offset), single(scale)), np.arange(2**bits, dtype=np.uint8)[:, None, None]
    np.testing.assert_array_equal(grid.encode(grid.decode(codes)), codes)


@given(offset=halves, scale=positive, code=st.integers(0, 255))
def test_a_value_is_the_exact_one_rounded_once(offset, scale, code):
    """The product is exact in single precision, so a fused multiply-add gives the same."""
    assert np.float32(scale) * np.float32(code) == float(scale) * code
    with np.errstate(over="ignore"):
        assert np.float32(offset) + np.float32(scale) * np.float32(code) == np.float32(offset + float(scale) * code)


def test_values_are_rounded_to_the_nearest_code():
    grid = Grid(4, single(-1, 0), single(0.5, 0))
    values = np.array([[[-1.2, 3], [-0.8, 3], [-0.75, 0], [-0.25, 0], [6.4, 0], [9, 0]]], np.float32)
    codes = grid.encode(values)
    np.testing.assert_array_equal(codes[0, :, 0], [0, 0, 0, 2, 15, 15])
    np.testing.assert_array_equal(codes[0, :, 1], 0)
    np.testing.assert_array_equal(grid.fits(values)[0, :, 0], [True, True, True, True, True, False])
    np.testing.assert_array_equal(grid.fits(values)[0, :, 1], [False, False, True, True, True, True])


@pytest.mark.parametrize(
    ("bits", "offset", "scale", "message"),
    [
        (16, single(0), single(1), "latent_bits: expected 8 or 4, got 16"),
        (8, np.zeros(1), single(1), "offset: expected float32 of shape (channels,), got float64 (1,)"),
        (
            8,
            single(0),
            np.zeros((1, 1), np.float32),
            "scale: expected float32 of shape (channels,), got float32 (1, 1)",
        ),
        (8, single(0.1), single(1), "offset: expected numbers that float16 has"),
        (8, single(1e6), single(1), "offset: expected numbers that float16 has (up to 65504), got 1000000.0"),
        (8, single(np.nan), single(1), "offset: expected numbers that float16 has (up to 65504), got nan"),
        (8, single(0), single(np.inf), "scale: expected numbers that float16 has (up to 65504), got inf"),
        (8, single(0, 0), single(1), "scale: expected shape (2,), got (1,)"),
        (8, single(0), single(-1), "scale: expected 0, or at least |offset| / 2^20, got -1"),
        (8, single(1), single(2**-21), "scale: expected 0, or at least |offset| / 2^20, got 4.7"),
    ],
)
def test_what_is_no_grid(bits, offset, scale, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Grid(bits, offset, scale)


def test_grids_fit_their_levels():
    material = coded(random_material(levels=2), 8)
    assert material.latent_bits == 8 and random_material().latent_bits == 16
    eight, levels = material.grids, material.latents
    four = coded(random_material(levels=2), 4).grids
    for grids, message in (
        (eight[:1], "grids: expected none, or one for each of 2 levels, got 1"),
        ((eight[0], four[1]), "grids: expected one number of bits, got [4, 8]"),
        ((eight[0], Grid(8, single(0), single(1))), "grids.1: expected 8 channels, got 1"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            check_grids(grids, levels)

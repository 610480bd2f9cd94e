"""Turns: everyone's number of steps, and that they are spread."""

import numpy as np
import pytest

from verdigris.bake.turns import deal


def test_a_single_one_has_every_step():
    np.testing.assert_array_equal(deal([0.3], 5), 0)


def test_equals_alternate():
    np.testing.assert_array_equal(deal([1, 1], 6), [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(deal([1, 1, 1], 6), [0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("shares", [(0.8, 0.15, 0.05), (1, 1, 0.3), (0.7, 0.3)])
def test_counts_are_the_shares_in_every_stretch(shares):
    turns, wanted = deal(shares, 6400), np.array(shares) / sum(shares)
    np.testing.assert_allclose(np.bincount(turns), 6400 * wanted, atol=1)
    for first in range(0, 6400, 64):
        found = np.bincount(turns[first : first + 64], minlength=len(shares))
        np.testing.assert_allclose(found, 64 * wanted, atol=1.5)


def test_nobody_is_left_out_while_there_are_steps():
    assert sorted(deal([1, 1e-9, 1e-9], 10)) == [0] * 8 + [1, 2]
    assert len(deal([1, 1, 1], 2)) == 2

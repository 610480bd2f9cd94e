"""Chunks whose steps belong to several."""

import numpy as np

from verdigris.bake.batches import by_owner


def test_columns_come_back_in_the_order_of_the_steps():
    owner, asked = np.int32([1, 0, 1, 2, 1]), {}

    def ask(index, mine):
        asked[index] = mine.tolist()
        column = np.repeat(mine.astype(np.float32), 3)
        return [column, column + 10 * index, *([column + 0.5] if index == 1 else [])]

    first, second, third = by_owner(owner, ask, 3)
    assert asked == {0: [1], 1: [0, 2, 4], 2: [3]}
    np.testing.assert_array_equal(first, np.repeat([0, 1, 2, 3, 4], 3))
    np.testing.assert_array_equal(second, np.repeat([10, 1, 12, 23, 14], 3))
    # What only the second has.
    np.testing.assert_array_equal(third, np.repeat([0.5, 0, 2.5, 0, 4.5], 3))


def test_a_single_owner_is_given_back_what_it_gave():
    column, nothing = by_owner(np.int32([3, 3]), lambda index, mine: [np.arange(4, dtype=np.float32) + index], 2)
    np.testing.assert_array_equal(column, [3, 4, 5, 6])
    np.testing.assert_array_equal(nothing, [0, 0, 0, 0])

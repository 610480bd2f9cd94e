"""The shapes of the page."""

from __future__ import annotations

import numpy as np
import pytest

from verdigris.render.geometry import merge
from verdigris.viewer.shapes import SHAPES


@pytest.mark.parametrize("name", SHAPES)
def test_a_square_picture_shows_all_of_a_shape_at_first(name):
    shape = SHAPES[name]
    origin, target = np.array(shape.origin, float), np.array(shape.target, float)
    forward = (target - origin) / np.linalg.norm(target - origin)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    seen = merge(shape.grids())[0] - origin
    across = np.stack([seen @ right, seen @ np.cross(right, forward)]) / (seen @ forward)
    share = np.abs(across).max() / np.tan(np.radians(shape.fov_deg / 2))
    assert 0.7 < share < 0.95, "of half the picture's side"

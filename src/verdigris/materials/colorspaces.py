"""Colour spaces of MaterialX documents, converted to linear Rec. 709, the space of every computation.

The transforms are those of MaterialX's built-in colour management (libraries/cmlib of version 1.39): transfer curves,
then a matrix between primaries. Alpha passes unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from verdigris.errors import GraphError

_AP1_TO_REC709 = np.array(
    [
        [1.705050992658, -0.621792120657, -0.083258872001],
        [-0.130256417507, 1.140804736575, -0.010548319068],
        [-0.024003356805, -0.128968976065, 1.15297233287],
    ]
)
"""ACES AP1 (D60) to Rec. 709 (D65), Bradford adapted."""
_P3_TO_REC709 = np.array(
    [
        [1.22493029, -0.22492968, 0.00000006],
        [-0.04205868, 1.04205894, -0.00000001],
        [-0.01964128, -0.07864794, 1.09828925],
    ]
)
"""Display P3 to Rec. 709, both D65."""
_ADOBE_TO_REC709 = np.array(
    [
        [1.39835574, -0.398355744, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, -0.0429289893, 1.04292899],
    ]
)
"""Adobe RGB (1998) to Rec. 709, both D65."""
_ADOBE_GAMMA = 563 / 256

Curve = Callable[[np.ndarray], np.ndarray]


def _linear(x: np.ndarray) -> np.ndarray:
    return x


def _gamma(exponent: float) -> Curve:
    return lambda x: np.power(np.maximum(x, 0), exponent)


def _srgb(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, np.power(np.maximum(x + 0.055, 0) / 1.055, 2.4))


_SPACES: dict[str, tuple[Curve, np.ndarray | None]] = {
    "": (_linear, None),
    "none": (_linear, None),
    "raw": (_linear, None),
    "lin_rec709": (_linear, None),
    "srgb_texture": (_srgb, None),
    "gamma18": (_gamma(1.8), None),
    "g18_rec709": (_gamma(1.8), None),
    "gamma22": (_gamma(2.2), None),
    "g22_rec709": (_gamma(2.2), None),
    "gamma24": (_gamma(2.4), None),
    "rec709_display": (_gamma(2.4), None),
    "acescg": (_linear, _AP1_TO_REC709),
    "lin_ap1": (_linear, _AP1_TO_REC709),
    "g22_ap1": (_gamma(2.2), _AP1_TO_REC709),
    "lin_displayp3": (_linear, _P3_TO_REC709),
    "srgb_displayp3": (_srgb, _P3_TO_REC709),
    "lin_adobergb": (_linear, _ADOBE_TO_REC709),
    "adobergb": (_gamma(_ADOBE_GAMMA), _ADOBE_TO_REC709),
}

COLOUR_SPACES = frozenset(name for name in _SPACES if name)
"""Names that a document may use."""
COLOUR_TYPES = frozenset({"color3", "color4"})
"""Types of values that have a colour space; any other is a plain number."""


def is_linear_rec709(colorspace: str) -> bool:
    """Whether values of a colour space need no conversion."""
    curve, matrix = _SPACES.get(colorspace, (None, None))
    return curve is _linear and matrix is None


def to_linear(value: np.ndarray, colorspace: str, where: str) -> np.ndarray:
    """Linear Rec. 709 of `[..., 3 or 4]` values; alpha is kept. Raises GraphError for an unknown colour space."""
    if colorspace not in _SPACES:
        known = ", ".join(sorted(COLOUR_SPACES))
        raise GraphError(f"{where}: colorspace: expected one of {known}; got {colorspace}")
    curve, matrix = _SPACES[colorspace]
    colour = curve(value[..., :3])
    if matrix is not None:
        colour = colour @ matrix.T.astype(colour.dtype)
    return np.concatenate([colour, value[..., 3:]], axis=-1)

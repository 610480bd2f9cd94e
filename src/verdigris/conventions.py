"""The conventions of the whole project, stated once.

- `wi` is the known direction (the viewer in a camera path), `wo` the sampled one (the light). Both are
  unit vectors that leave the surface, in the local shading frame (t, b, n) with n = +z.
- `eval` returns the BSDF times the cosine of `wo`; both directions must be above the surface, else 0.
- A pdf is per solid angle. A pdf of 0 marks a failed sample.
- Colour is linear Rec. 709 RGB.
- `uv` is MaterialX's: the origin is the lower left corner of an image, v grows upwards, the texel centre
  (x, y) of a texture of W x H texels stored from v = 0 upwards is ((x + 0.5) / W, (y + 0.5) / H).
- Level 0 is the finest of a pyramid.

Where no geometry is given (a bake, a query in Python), the surface is the unit square of the uv plane:
position (u, v, 0), normal +z, tangent +x, bitangent +y.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

LUMINANCE_REC709 = (0.2126, 0.7152, 0.0722)
"""Weights of linear Rec. 709 RGB that give luminance (ITU-R BT.709)."""

ALPHA_MIN = 2.5e-3
"""Smallest GGX width (roughness 0.05): narrower lobes are widened to it, in the reference and so in a bake.

A delta lobe has no value that `eval` could return, and the method leaves it open."""


def half_vector(wi: Array, wo: Array) -> Array:
    """Unit half vector of two unit directions, `[n, 3], [n, 3] -> [n, 3]`."""
    h = wi + wo
    return h / np.maximum(np.linalg.norm(h, axis=-1, keepdims=True), 1e-12)


def luminance(rgb: Array) -> Array:
    """Luminance of linear Rec. 709 RGB, `[..., 3] -> [...]`."""
    return rgb @ np.asarray(LUMINANCE_REC709, dtype=rgb.dtype)


def to_srgb(linear: Array) -> Array:
    """sRGB transfer function (IEC 61966-2-1) of linear values, clipped to 0..1."""
    x = np.clip(linear, 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-8), 1 / 2.4) - 0.055)

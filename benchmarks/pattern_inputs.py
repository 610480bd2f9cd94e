"""Which random inputs the pattern nodes are run over: inside their domains, and such that every branch is met."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

SKIPPED = {
    "chiang_hair_absorption_from_color": "hair",
    "chiang_hair_roughness": "hair",
    "deon_hair_absorption_from_melanin": "hair",
    "frame": "time",
    "geomcolor": "no such data",
    "geompropvalue": "a shader stage of its own",
    "geompropvalueuniform": "no such data",
    "time": "time",
}
"""Nodes without numbers, and why."""

_FIXED = {
    "octaves": ("3",),
    "style": ("0", "1"),
    "type": ("0", "1", "2", "3"),
    "upaxis": ("0", "1", "2"),
    "operationorder": ("0", "1"),
    "interpolation": ("0", "1", "2"),
    "num_intervals": ("2", "5"),
    "index": ("0", "1"),
}
"""Integers that choose a variant, and the values that are run."""

_RANGES: dict[str, tuple[float, float]] = {
    "amount": (0, 1),
    "anisotropy": (0, 1),
    "bg": (0, 1),
    "blend": (0.1, 1),
    "brightnesshigh": (0.6, 1),
    "brightnesslow": (0.2, 0.5),
    "center": (-0.5, 0.5),
    "coverage": (0.3, 1),
    "diminish": (0.3, 0.7),
    "falloff": (0.2, 0.8),
    "falloffcontrast": (0, 1),
    "fg": (0, 1),
    "gamma": (0.5, 2),
    "high": (0.3, 1),
    "huehigh": (0.6, 1),
    "huelow": (0, 0.4),
    "inhigh": (0.5, 1.5),
    "inlow": (-1, 0),
    "jitter": (0, 1),
    "lacunarity": (1.7, 2.3),
    "low": (-1, 0.2),
    "lumacoeffs": (0.1, 0.6),
    "mask": (0, 1),
    "mix": (0, 1),
    "offset": (0, 1),
    "position": (-3, 3),
    "radius": (0.3, 2.5),
    "realworldimagesize": (0.5, 2),
    "realworldtilesize": (0.5, 2),
    "rotation": (0, 1),
    "roughness": (0.05, 1),
    "saturationhigh": (0.6, 1),
    "saturationlow": (0, 0.4),
    "scale": (0.4, 2),
    "scalerange": (0.5, 2),
    "size": (0.2, 0.6),
    "spacing": (0.1, 0.4),
    "staggered": (0, 1),
    "strength": (0.2, 1),
    "temperature": (500, 12000),
    "thickness": (0.05, 0.3),
    "tiling": (0.5, 3),
    "uvtiling": (0.5, 3),
}
_BY_NODE: dict[tuple[str, str], tuple[float, float]] = {
    ("acos", "in"): (-0.99, 0.99),
    ("asin", "in"): (-0.99, 0.99),
    ("divide", "in2"): (0.3, 2),
    ("hsvadjust", "in"): (0, 1),
    ("hsvtorgb", "in"): (0, 1),
    ("latlongimage", "rotation"): (-180, 180),
    ("latlongimage", "viewdir"): (-0.9, 0.9),
    ("ln", "in"): (0.05, 3),
    ("modulo", "in2"): (0.3, 2),
    ("normalmap", "in"): (0, 1),
    ("power", "in1"): (0.05, 2),
    ("randomcolor", "in"): (0, 1),
    ("randomfloat", "in"): (0, 1),
    ("rgbtohsv", "in"): (0, 1),
    ("rotate2d", "amount"): (-200, 200),
    ("rotate3d", "amount"): (-200, 200),
    ("sqrt", "in"): (0, 3),
    ("place2d", "rotate"): (-200, 200),
    ("roughness_dual", "roughness"): (-0.5, 1),
    ("artistic_ior", "reflectivity"): (0, 1),
    ("artistic_ior", "edge_color"): (0, 1),
    ("premult", "in"): (0, 1),
    ("unpremult", "in"): (0.1, 1),
    ("colorcorrect", "in"): (0, 1),
    ("saturate", "in"): (0, 1),
}
_MANY = {"and", "or", "not", "xor", "sign", "ifequal", "circle", "cloverleaf", "hexagon", "randomfloat", "randomcolor"}
_MANY |= {"tiledcircles", "tiledcloverleafs", "tiledhexagons", "grid", "crosshatch", "line", "checkerboard"}
"""Nodes with few different results, besides the noises."""
_CHOICES = {"value1": (0, 0.5, 1), "value2": (0, 0.5, 1)}
"""Few values, so that comparisons meet equal ones too."""


def samples_of(category: str) -> int:
    """Number of random points for a node: more where a lattice has more cases."""
    return 16 if category in _MANY or any(word in category for word in ("noise", "fractal", "flake", "hextile")) else 6


def constants_of(definition: Any) -> list[dict[str, object]]:
    """The variants of a definition that are run: values of the inputs that may not vary."""
    options = {}
    for declared in definition.getActiveInputs():
        name = declared.getName()
        if declared.getType() == "integer" and name in _FIXED:
            options[name] = (
                _FIXED[name] if definition.getNodeString() not in ("texcoord", "tangent", "bitangent") else ("0",)
            )
    return [dict(zip(options, chosen, strict=True)) for chosen in product(*options.values())]


def draw(rng: np.random.Generator, case: Any, name: str, kind: str, width: int) -> np.ndarray:
    """`[samples, width]` values of one input."""
    category = case.node
    shape = (case.samples, width)
    if kind == "boolean":
        return rng.integers(0, 2, shape)
    if kind == "integer":
        low, high = (0, 3) if name in _CHOICES or "boolean" in case.key else (-3, 11)
        return rng.integers(low, high, shape)
    if name in _CHOICES:
        return rng.choice(_CHOICES[name], shape)
    if kind.startswith("matrix"):
        return (np.eye(3 if width == 9 else 4).ravel() + rng.uniform(-0.4, 0.4, shape)).round(3)
    low, high = _BY_NODE.get((category, name), _RANGES.get(name, (-2, 2)))
    return rng.uniform(low, high, shape).round(3)

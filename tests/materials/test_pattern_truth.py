"""Every pattern node against numbers of MaterialX's own generated shaders (see benchmarks/pattern_truth.py)."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from pattern_documents import evaluate_case
from verdigris.materials.nodes import PATTERNS

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "materialx_patterns.json").read_text())
TEXELS = np.array(GOLDEN["image"], np.float64) / 255


def by_category() -> dict[str, list[dict]]:
    """The golden cases by node category."""
    found = defaultdict(list)
    for case in GOLDEN["cases"]:
        found[case["node"]].append(case)
    return found


CASES = by_category()

TOLERANCE = 5e-6
"""Both sides compute in float32, in orders of their own; the largest error seen is 2e-6 of values above 1."""

LOOSER = {
    "bump": 6e-4,  # differences of float32 heights 2^-11 apart, on both sides: 1e-7 * 2^11 * scale / 16
    "heighttonormal": 6e-4,
    "hextilednormalmap": 5e-5,  # the hash of a tile multiplies numbers near 100, and its rounding turns the tile
    "latlongimage": 1e-4,  # the arc sine near its ends, times the slope of the image
    "unifiednoise2d": 5e-4,  # reads noise at (jitter - 1) * 90000, where float32 coordinates step by 0.004
    "unifiednoise3d": 5e-4,
}
"""Categories whose rounding is amplified, with the reason."""

UNTESTED = {
    "constant": "the generator passes its value through",
    "geompropvalue": "the generator reads it in a stage of its own: see test_nodes_geometry.py",
}
"""Primitives without numbers."""


def test_every_primitive_has_numbers() -> None:
    assert sorted(PATTERNS) == sorted((CASES.keys() & PATTERNS.keys()) | UNTESTED.keys())


@pytest.mark.parametrize("category", sorted(CASES))
def test_category_equals_its_shader(category: str) -> None:
    for case in CASES[category]:
        got = evaluate_case(case, GOLDEN["graphs"], TEXELS)
        assert got.keys() == case["out"].keys()
        for name, (_, *rows) in case["out"].items():
            expected = np.array(rows, np.float64)
            scale = np.maximum(np.abs(expected), 1)
            error = np.abs(got[name] - expected) / scale
            assert error.max() <= LOOSER.get(category, TOLERANCE), f"{case['key']}: {name}: {got[name]} != {expected}"

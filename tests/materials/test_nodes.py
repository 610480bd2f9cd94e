"""Pattern nodes against plain Python, on constants that folding evaluates."""

import numpy as np
import pytest

from verdigris.materials.graph import Constant, Node
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.lattice import hash_cell
from verdigris.materials.nodes.noise import perlin
from verdigris.materials.nodes.registry import Call, Surface, parts, to_drjit
from verdigris.runtime import mitsuba

mi = mitsuba()
dr = pytest.importorskip("drjit")


def evaluate(category: str, kind: str, **inputs: tuple[str, object]) -> list[float]:
    """Channels of a node's value; inputs are (type, value)."""
    constants = {name: Constant(type_, value) for name, (type_, value) in inputs.items()}
    values = {name: to_drjit(mi, constant.type, constant.value) for name, constant in constants.items()}
    call = Call(Node("n", category, kind, constants), values, Surface(mi, dr, mi.Point2f(0.25, 0.5)), {})
    return [float(np.ravel(part)[0]) for part in parts(PATTERNS[category](call))]


F = "float"
V = "vector3"


@pytest.mark.parametrize(
    ("category", "kind", "inputs", "expected"),
    [
        ("power", F, {"in1": (F, 2.0), "in2": (F, 3.0)}, [8]),
        ("power", F, {"in1": (F, -2.0), "in2": (F, 0.5)}, [0]),
        ("modulo", F, {"in1": (F, -0.25), "in2": (F, 1.0)}, [0.75]),
        ("invert", F, {"in": (F, 0.3), "amount": (F, 1.0)}, [0.7]),
        ("clamp", F, {"in": (F, 1.5), "low": (F, 0.0), "high": (F, 1.0)}, [1]),
        ("mix", F, {"fg": (F, 3.0), "bg": (F, 1.0), "mix": (F, 0.25)}, [1.5]),
        ("smoothstep", F, {"in": (F, 0.25), "low": (F, 0.0), "high": (F, 1.0)}, [0.15625]),
        ("ifgreatereq", F, {"value1": (F, 1.0), "value2": (F, 1.0), "in1": (F, 5.0), "in2": (F, 6.0)}, [5]),
        ("ifgreater", F, {"value1": (F, 1.0), "value2": (F, 1.0), "in1": (F, 5.0), "in2": (F, 6.0)}, [6]),
        ("dotproduct", F, {"in1": (V, (1.0, 2.0, 3.0)), "in2": (V, (4.0, 5.0, 6.0))}, [32]),
        ("combine3", V, {"in1": (F, 1.0), "in2": (F, 2.0), "in3": (F, 3.0)}, [1, 2, 3]),
        ("extract", F, {"in": (V, (1.0, 2.0, 3.0)), "index": ("integer", 2)}, [3]),
        ("convert", "color4", {"in": (F, 0.5)}, [0.5, 0.5, 0.5, 0.5]),
        ("convert", "vector2", {"in": (V, (1.0, 2.0, 3.0))}, [1, 2]),
        ("rotate2d", "vector2", {"in": ("vector2", (1.0, 0.0)), "amount": (F, 90.0)}, [0, -1]),
        ("rotate3d", V, {"in": (V, (1.0, 0.0, 0.0)), "amount": (F, 90.0), "axis": (V, (0.0, 0.0, 1.0))}, [0, -1, 0]),
        ("position", V, {}, [0.25, 0.5, 0]),
        ("roughness_anisotropy", "vector2", {"roughness": (F, 0.5), "anisotropy": (F, 0.75)}, [0.5, 0.125]),
        ("roughness_dual", "vector2", {"roughness": ("vector2", (0.5, -1.0))}, [0.25, 0.25]),
    ],
)
def test_node(category: str, kind: str, inputs: dict, expected: list[float]) -> None:
    np.testing.assert_allclose(evaluate(category, kind, **inputs), expected, atol=1e-6)


def test_artistic_ior_reflects_its_colour() -> None:
    call_inputs = {"reflectivity": ("color3", (0.9, 0.5, 0.2)), "edge_color": ("color3", (0.8, 0.6, 0.4))}
    constants = {name: Constant(*pair) for name, pair in call_inputs.items()}
    values = {name: to_drjit(mi, c.type, c.value) for name, c in constants.items()}
    call = Call(Node("n", "artistic_ior", "multioutput", constants), values, Surface(mi, dr, mi.Point2f(0)), {})
    got = PATTERNS["artistic_ior"](call)
    n, k = np.ravel(got["ior"]), np.ravel(got["extinction"])
    np.testing.assert_allclose(((n - 1) ** 2 + k**2) / ((n + 1) ** 2 + k**2), [0.9, 0.5, 0.2], rtol=1e-5)


def _plain_hash(*lattice: int) -> int:
    """lookup3's final mix on Python integers."""
    mask = 0xFFFFFFFF
    seed = (0xDEADBEEF + (len(lattice) << 2) + 13) & mask
    a, b, c = (seed + (lattice[i] if i < len(lattice) else 0) & mask for i in range(3))

    def rot(x: int, k: int) -> int:
        return ((x << k) | (x >> (32 - k))) & mask

    c = ((c ^ b) - rot(b, 14)) & mask
    a = ((a ^ c) - rot(c, 11)) & mask
    b = ((b ^ a) - rot(a, 25)) & mask
    c = ((c ^ b) - rot(b, 16)) & mask
    a = ((a ^ c) - rot(c, 4)) & mask
    b = ((b ^ a) - rot(a, 14)) & mask
    return ((c ^ b) - rot(b, 24)) & mask


def test_noise_hash_equals_plain_integers() -> None:
    cells = [(0, 0, 0), (1, -2, 3), (-70000, 12345, 5)]
    got = [int(hash_cell(mi, [mi.Int32(x) for x in cell])[0]) for cell in cells]
    assert got == [_plain_hash(*cell) for cell in cells]


def test_noise_is_zero_on_the_lattice_bounded_and_smooth(rng) -> None:
    lattice = mi.Vector3f(rng.integers(-50, 50, (3, 500)).astype(np.float32))
    np.testing.assert_allclose(perlin(mi, dr, lattice)[0], 0, atol=1e-6)
    p = rng.uniform(-20, 20, (3, 20000)).astype(np.float32)
    value = np.array(perlin(mi, dr, mi.Vector3f(p))[0])
    assert 0.6 < np.abs(value).max() <= 1.01 and abs(value.mean()) < 0.02
    step = np.array(perlin(mi, dr, mi.Vector3f(p + np.float32(1e-3)))[0])
    assert np.abs(step - value).max() < 0.02

"""Tabulated functions against NumPy's interpolation, and how they are read."""

import numpy as np
import pytest

from verdigris.materials.closures.table import AXIS, SIZE, Table
from verdigris.runtime import mitsuba

mi = mitsuba()
dr = pytest.importorskip("drjit")

_rng = np.random.default_rng(3)
FUNCTIONS = {name: _rng.random((SIZE, SIZE)) for name in ("f", "g")}
TABLE = Table(lambda: FUNCTIONS)


def interpolated(name: str, mu: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The function by interpolation along the cosine, then along the roughness."""
    rows = np.stack([np.interp(mu, AXIS, row) for row in FUNCTIONS[name]])
    return np.array([np.interp(root, AXIS, column) for root, column in zip(np.sqrt(alpha), rows.T, strict=True)])


def test_it_is_linear_between_entries_and_constant_beyond_them(rng) -> None:
    mu, alpha = rng.uniform(-0.1, 1.1, 2000), rng.random(2000)
    alpha[:2] = 0, 1
    got = TABLE.read(mi, dr, ("f", "g"), mi.Float(mu), mi.Float(alpha))
    for name, values in zip(("f", "g"), got, strict=True):
        np.testing.assert_allclose(values, interpolated(name, mu, alpha), atol=2e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.09, 0.25, 1.0])
@pytest.mark.parametrize("names", [("f",), ("g", "f")])
def test_a_roughness_that_is_a_number_reads_its_row(rng, alpha: float, names: tuple[str, ...]) -> None:
    mu = rng.uniform(-0.1, 1.1, 2000)
    for name, values in zip(names, TABLE.read(mi, dr, names, mi.Float(mu), alpha), strict=True):
        np.testing.assert_allclose(values, interpolated(name, mu, np.full(2000, alpha)), atol=2e-5)


def test_the_mean_is_weighted_by_the_cosine(rng) -> None:
    constant = Table(lambda: {"f": np.full((SIZE, SIZE), 0.3)})
    assert constant.mean(mi, dr, "f", 0.2) == pytest.approx(0.3, abs=1e-6)
    alpha = rng.random(200)
    varying = TABLE.mean(mi, dr, "f", mi.Float(alpha))
    np.testing.assert_allclose(varying, [TABLE.mean(mi, dr, "f", float(a)) for a in alpha], atol=1e-5)
    at_entries = np.trapezoid(2 * AXIS * FUNCTIONS["f"], AXIS, axis=1)
    np.testing.assert_allclose([TABLE.mean(mi, dr, "f", float(root**2)) for root in AXIS], at_entries, atol=1e-6)


@pytest.mark.parametrize(("alpha", "reads"), [(0.09, 1), (None, 2)])
def test_functions_are_read_in_packets(rng, alpha: float | None, reads: int) -> None:
    """One packet for two functions of a row, one each of the table: entry by entry took twice the time of a BSDF."""
    if dr.backend_v(mi.Float) != dr.JitBackend.LLVM:
        pytest.skip("the names of reads are those of LLVM's intermediate language")
    mu, rough = mi.Float(rng.random(1024)), mi.Float(rng.random(1024))
    dr.eval(mu, rough)
    with dr.scoped_set_flag(dr.JitFlag.KernelHistory):
        dr.kernel_history_clear()
        dr.eval(TABLE.read(mi, dr, ("f", "g"), mu, rough if alpha is None else alpha))
        (kernel,) = (entry for entry in dr.kernel_history() if entry["type"] == dr.KernelType.JIT)
    code = kernel["ir"].getvalue()
    assert "masked.gather" not in code
    assert code.count("call fastcc [4 x") == reads

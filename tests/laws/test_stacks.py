"""Laws of layered stacks, combined either way: sampling, furnace, reciprocity, energy, one mean by any sampler.

Means of random estimates are compared by z-tests; the limits of a family of tests are such that a right model fails one
of them with probability 0.01.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm  # JAX brings SciPy

from directions import direction, random_directions
from laws import mirror_lobes
from laws.chi2 import Grid, assert_sampler
from laws.stack_documents import LAYERINGS, STACKS, load_stack
from verdigris.materials.material import columns
from verdigris.materials.reference import ReferenceMaterial, load_reference
from verdigris.runtime import mitsuba

N = 1 << 18
POINTS, EACH = 128, 1024
BOTH = [(name, layering) for name in STACKS for layering in LAYERINGS]
VIEWS = [(0.05, 75), (0.2, 30), (0.5, 80), (1.0, 60)]
"""(GGX width, angle of the view in degrees)."""
WIDTHS = (0.05, 0.3, 1.0)
DEEP = ("ceramic_teapot", "inkwell_brass", "slicer_blade", "slicer_handle", "teapot_handle")

TILTED = {"tilted coat": 0.06, "two tilted coats": 0.24}
"""Light that a white stack with normals tilted by 10 degrees may lose: what a tilted interface sends to the wrong side
of the surface carries nothing."""
ONE_SIDED = "sheen over coat over mix"
"""Not walked in full: a sheen is scaled by its albedo towards the viewer alone."""
WALKED = [name for name in STACKS if name not in TILTED and name != ONE_SIDED]
FURNACE = [name for name in WALKED if name != "absorbing coat"]
"""Without what it absorbs, that is a coat over diffuse."""

SCALE_ERROR = {
    "coat over diffuse": (0.010, 0.002),
    "coat over metal": (0.010, 0.002),
    "two coats over diffuse": (0.014, 0.005),
    "three coats over diffuse": (0.020, 0.006),
    "scattering coat": (0.010, 0.002),
    "tilted coat": (0.008, 0.001),
    "two tilted coats": (0.240, 0.001),
    "sheen over coat over mix": (0.016, 0.006),
    "partial coat": (0.006, 0.002),
}
"""What a white stack layered by albedo scaling loses and gains at most, at widths from 0.05 to 1 and views up to 80
degrees, where it loses most: a narrow reflection about a normal tilted away from the viewer falls below the surface."""


def z_limit(tests: int) -> float:
    """Deviation that one of so many two-sided z-tests exceeds with probability 0.01."""
    return float(norm.isf(0.005 / tests))


def points(width: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Points of the plane where the coats have a width, `[n, 2]`; what differs between them is the random walk."""
    return np.stack([np.full(n, width), rng.random(n)], axis=1).astype(np.float32)


def estimates(
    material: ReferenceMaterial, width: float, theta_deg: float, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Estimates of the directional albedo by the material's own sampler, `[n, 3]`."""
    wi = np.repeat(direction(np.radians(theta_deg), 0.4)[None], n, 0)
    return material.sample(points(width, n, rng), wi, rng.random((n, 3)).astype(np.float32))[2]


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis and its standard error."""
    return values.mean(0), values.std(0) / np.sqrt(len(values))


@pytest.mark.parametrize(("name", "layering"), BOTH)
@pytest.mark.parametrize(("width", "theta_deg"), VIEWS)
def test_sampling(name: str, layering: str, width: float, theta_deg: float) -> None:
    """`sample_dr` draws from `pdf_dr`, returns it, and the density integrates to 1 less what fails."""
    material, mi = load_stack(name, layering), mitsuba()
    wi = direction(np.radians(theta_deg), 0.4)

    def query(n: int) -> tuple:
        return mi.Point2f(columns(np.full((n, 2), (width, 0.5)))), mi.Vector3f(columns(np.repeat(wi[None], n, 0)))

    def sample(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wo, pdf = material.sample_dr(*query(len(u)), mi.Float(columns(u)[0]), mi.Point2f(columns(u)[1:]))
        wo, pdf = np.array(wo).T, np.array(pdf)
        assert np.isfinite(wo).all() and np.isfinite(pdf).all() and (pdf >= 0).all()
        np.testing.assert_allclose(np.linalg.norm(wo, axis=1), 1, atol=1e-4)
        return wo, pdf

    def density(wo: np.ndarray) -> np.ndarray:
        return np.array(material.pdf_dr(*query(len(wo)), mi.Vector3f(columns(wo))))

    grid = Grid(pole=tuple(wi * (-1, -1, 1)), sharpness=2)
    assert_sampler(sample, density, grid=grid, tests=len(BOTH) * len(VIEWS), samples=1 << 16)


@pytest.mark.parametrize("name", FURNACE)
@pytest.mark.parametrize("width", (0.05, 0.1, 0.3, 1.0))
def test_white_furnace_of_walked_stacks(name: str, width: float, rng) -> None:
    """A stack that absorbs nothing returns all light, within 1 %."""
    material, found = load_stack(name, "walk", white=True), []
    for theta_deg in (0, 50, 80):
        value, error = mean_and_error(estimates(material, width, theta_deg, N, rng))
        assert (np.abs(value - 1) < 0.01 + 3 * error).all() and error.max() < 0.01, (theta_deg, value, error)
        found.append(value)
    assert abs(np.mean(found) - 1) < 0.01, found


@pytest.mark.parametrize("name", TILTED)
@pytest.mark.parametrize("width", WIDTHS)
def test_tilted_normals_lose_no_more_than_stated(name: str, width: float, rng) -> None:
    material = load_stack(name, "walk", white=True)
    for theta_deg in (0, 50, 80):
        value, error = mean_and_error(estimates(material, width, theta_deg, N, rng))
        assert (value < 1.01 + 3 * error).all() and (value > 1 - TILTED[name] - 3 * error).all(), (value, error)
        assert error.max() < 0.01


@pytest.mark.parametrize("name", SCALE_ERROR)
def test_white_furnace_of_scaled_stacks(name: str, rng) -> None:
    material, (loss, gain) = load_stack(name, "scale", white=True), SCALE_ERROR[name]
    for width in (0.05, 0.5, 1.0):
        for theta_deg in (0, 50, 80):
            value, error = mean_and_error(estimates(material, width, theta_deg, N, rng))
            assert (value > 1 - loss - error).all() and (value < 1 + gain + error).all(), (width, theta_deg, value)


PAIRS = 16


@pytest.mark.parametrize("name", WALKED)
@pytest.mark.parametrize("width", WIDTHS)
def test_reciprocity_of_walked_stacks(name: str, width: float, rng) -> None:
    """Not of tilted normals, whose cosine is not the surface's, nor of a sheen over others, scaled one way."""
    n = 1 << 14
    a, b = (random_directions(rng, PAIRS, 0.15) for _ in range(2))
    material = load_stack(name, "walk")

    def response(wi: np.ndarray, wo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and error of the response without the cosine, `[PAIRS, 3]`."""
        uv = points(width, PAIRS * n, rng)
        values = material.eval(uv, np.repeat(wi, n, 0), np.repeat(wo, n, 0)).reshape(PAIRS, n, 3)
        mean, error = mean_and_error(values.swapaxes(0, 1))
        return mean / wo[:, 2:], error / wo[:, 2:]

    (forward, e1), (backward, e2) = response(a, b), response(b, a)
    error = np.hypot(e1, e2)
    z = (forward - backward) / error
    assert np.abs(z).max() < z_limit(z.size * len(WALKED) * len(WIDTHS)), z
    assert np.median(error / forward) < 0.02


@dataclass(frozen=True)
class Drawn:
    """Queries of a material and the answers of its own sampler: `EACH` for every point and view, one after another."""

    material: ReferenceMaterial
    uv: np.ndarray
    wi: np.ndarray
    wo: np.ndarray
    pdf: np.ndarray
    weight: np.ndarray


@pytest.fixture(
    scope="module",
    params=[*BOTH, *((f"library:{name}@256", layering) for name in DEEP for layering in LAYERINGS)],
    ids="-".join,
)
def drawn(request, tmp_path_factory) -> Drawn:
    """A stack at widths from 0.05 on, or a deep material, at random points and views."""
    name, layering = request.param
    rng = np.random.default_rng(5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "stacks_cache"))
        material = load_stack(name, layering) if name in STACKS else load_reference(name, layering=layering)
    uv = np.repeat(rng.uniform((0.05, 0), 1, (POINTS, 2)), EACH, 0).astype(np.float32)
    wi = np.repeat(random_directions(rng, POINTS, 0.1), EACH, 0)
    return Drawn(material, uv, wi, *material.sample(uv, wi, rng.random((len(uv), 3))))


def test_samples_are_finite_and_not_negative(drawn: Drawn) -> None:
    assert np.isfinite(drawn.weight).all() and (drawn.weight >= 0).all()
    assert np.isfinite(drawn.pdf).all() and (drawn.wo[drawn.pdf > 0, 2] > 0).all()
    assert (drawn.pdf > 0).mean() > 0.8


def test_energy(drawn: Drawn) -> None:
    """At no point and view is more reflected than arrives; none of these stacks is white."""
    value, error = mean_and_error(drawn.weight.reshape(POINTS, EACH, 3).swapaxes(0, 1))
    assert (value <= 1 + 3 * error).all(), (value - 3 * error).max()
    assert value.mean() > 0.1 and error.mean() < 0.1 * value.mean()


def test_the_albedo_is_the_same_by_another_sampler(drawn: Drawn, rng) -> None:
    """The mean over all points and views, by lobes that know nothing of the material."""
    wo, density = mirror_lobes.draw(drawn.wi, rng)
    other = drawn.material.eval(drawn.uv, drawn.wi, wo) / density[:, None]
    difference, error = mean_and_error(drawn.weight - other)
    assert np.abs(difference / error).max() < z_limit(3 * (len(BOTH) + len(DEEP) * len(LAYERINGS))), (difference, error)
    assert (error < 0.025 * drawn.weight.mean(0)).all()

"""The OpenPBR surface as the reference computes it, against the specification's equations: albedos over a grid.

`PYTHONPATH=tests python -m laws.test_openpbr` prints the tables of docs/openpbr.md, which the tests hold to what they
measure.
"""

from __future__ import annotations

import functools
import itertools
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laws import openpbr_spec as spec
from laws.openpbr_spec import Array, Inputs
from verdigris.materials.reference import load_reference
from verdigris.runtime import mitsuba

PAGE = Path(__file__).resolve().parents[2] / "docs" / "openpbr.md"
COSINES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
ALONG_AND_ACROSS = (0.0, np.pi / 4, np.pi / 2)
BARE, LAYERED = 0.02, 0.05
"""The bounds that are asked for: without coat and fuzz, and with."""
READING = 0.004
"""How far a measured number may lie from the page's before the page must be written anew."""

RAINBOW, AUTUMN, SEA = (1.0, 0.5, 0.1), (0.9, 0.5, 0.1), (0.3, 0.6, 0.75)
EDGE = (0.3, 0.9, 0.6)
WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def grid(**values: tuple[Any, ...]) -> list[Inputs]:
    """Every combination of the inputs' values."""
    return [Inputs(**dict(zip(values, chosen, strict=True))) for chosen in itertools.product(*values.values())]


@dataclass(frozen=True)
class Region:
    """A part of the parameters' space, with the bound asked for there and the azimuths of the view."""

    bound: float
    cases: list[Inputs]
    azimuths: tuple[float, ...] = (0.0,)


AGREEING = {
    "diffuse": Region(
        BARE,
        grid(base_color=(RAINBOW,), base_diffuse_roughness=(0.0, 0.5, 1.0), base_weight=(0.6, 1.0)),
    ),
    "gloss": Region(
        BARE,
        grid(base_color=(RAINBOW,), specular_roughness=(0.0, 0.2, 0.5, 1.0), specular_ior=(1.1, 1.3, 1.5, 2.0, 3.0)),
    ),
    "subsurface": Region(
        BARE,
        grid(subsurface_color=(RAINBOW,), subsurface_weight=(0.5, 1.0), specular_roughness=(0.2, 0.6)),
    ),
    "specular weight": Region(
        BARE,
        grid(
            base_color=(RAINBOW,),
            specular_weight=(0.0, 0.3, 0.7, 1.5),
            specular_roughness=(0.1, 0.6),
            specular_ior=(1.5, 2.4),
        ),
    ),
    "specular colour": Region(
        BARE,
        grid(base_color=(RAINBOW,), specular_color=(EDGE,), specular_roughness=(0.1, 0.6), specular_ior=(1.5, 2.0)),
    ),
    "metal": Region(
        BARE,
        grid(
            base_metalness=(1.0,),
            base_color=(RAINBOW, (0.02, 0.5, 0.98)),
            specular_color=(WHITE, EDGE),
            specular_roughness=(0.0, 0.2, 0.5, 1.0),
        ),
    ),
    "smooth metal, specular weight": Region(
        BARE,
        grid(base_metalness=(1.0,), base_color=(RAINBOW,), specular_weight=(0.0, 0.5), specular_roughness=(0.0, 0.2)),
    ),
    "metalness": Region(
        BARE, grid(base_color=(RAINBOW,), base_metalness=(0.3, 0.7), specular_roughness=(0.1, 0.5, 0.9))
    ),
    "anisotropy": Region(
        BARE,
        grid(
            base_color=(RAINBOW,),
            base_metalness=(0.0, 1.0),
            specular_roughness=(0.1, 0.3),
            specular_roughness_anisotropy=(0.5, 1.0),
        )
        + grid(
            base_color=(RAINBOW,),
            base_metalness=(0.0, 1.0),
            specular_roughness=(0.5,),
            specular_roughness_anisotropy=(0.3, 0.5),
        ),
        ALONG_AND_ACROSS,
    ),
    "fuzz": Region(
        LAYERED,
        grid(base_color=(BLACK, RAINBOW), fuzz_weight=(1.0,), fuzz_roughness=(0.0, 0.2, 0.3, 0.5, 1.0))
        + grid(base_color=(RAINBOW,), fuzz_weight=(0.5, 1.0), fuzz_roughness=(0.2, 0.6), fuzz_color=(AUTUMN,)),
    ),
    "coat": Region(
        LAYERED,
        grid(
            base_color=(RAINBOW,),
            coat_weight=(0.5, 1.0),
            coat_roughness=(0.0, 0.5),
            coat_ior=(1.2, 1.6, 2.2),
            coat_darkening=(0.0, 1.0),
        ),
    ),
    "tinted full coat, index from 1.6": Region(
        LAYERED,
        grid(
            base_color=(AUTUMN,),
            coat_weight=(1.0,),
            coat_color=(AUTUMN, SEA),
            coat_ior=(1.6, 2.0),
            coat_darkening=(0.0, 1.0),
        ),
    ),
    "coat over metal, no darkening": Region(
        LAYERED,
        grid(
            base_metalness=(1.0,),
            base_color=(RAINBOW,),
            specular_roughness=(0.0, 0.3, 0.9),
            coat_weight=(1.0,),
            coat_roughness=(0.0, 0.4),
            coat_darkening=(0.0,),
        ),
    ),
    "coat and fuzz": Region(
        LAYERED,
        grid(base_color=(RAINBOW,), coat_weight=(1.0,), coat_darkening=(0.0, 1.0), fuzz_weight=(0.5, 1.0)),
    ),
}
"""Where the bound holds."""

DEVIATING = {
    "rough metal, specular weight": Region(
        BARE,
        grid(base_metalness=(1.0,), base_color=(RAINBOW,), specular_weight=(0.5,), specular_roughness=(0.5, 0.8, 1.0)),
    ),
    "coat over metal": Region(
        LAYERED,
        grid(
            base_metalness=(1.0,),
            base_color=(AUTUMN, SEA),
            specular_roughness=(0.0, 0.3, 0.6, 1.0),
            coat_weight=(0.5, 1.0),
        ),
    ),
    "coat over a base weight": Region(
        LAYERED,
        grid(base_color=(AUTUMN,), base_weight=(0.3, 0.7), coat_weight=(1.0,), coat_ior=(1.6, 2.2)),
    ),
    "tinted full coat, index to 1.4": Region(
        LAYERED,
        grid(base_color=(WHITE,), coat_weight=(1.0,), coat_color=((0.6, 0.4, 0.05),), coat_ior=(1.2, 1.4)),
    ),
    "tinted coat in part": Region(
        LAYERED,
        grid(base_color=(WHITE,), coat_weight=(0.25, 0.5, 0.75), coat_color=((0.6, 0.4, 0.05),)),
    ),
}
"""Where MaterialX's graph departs from the specification by more than the bound: see docs/openpbr.md."""

ANISOTROPIC = Region(
    BARE,
    grid(
        base_color=(RAINBOW,),
        base_metalness=(0.0, 1.0),
        specular_roughness=(0.7, 1.0),
        specular_roughness_anisotropy=(0.7, 1.0),
    ),
    ALONG_AND_ACROSS,
)
"""Where this package's own approximations depart by more than the bound."""


def anything(count: int) -> list[Inputs]:
    """Points all over the space of the grid, anisotropy up to 0.5; the same at every call."""
    rng = np.random.default_rng(7)

    def draw(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 3)

    def colour() -> spec.Colour:
        return draw(0.05, 1), draw(0.05, 1), draw(0.05, 1)

    return [
        Inputs(
            base_weight=draw(0.3, 1),
            base_color=colour(),
            base_diffuse_roughness=draw(0, 1),
            base_metalness=draw(0, 1),
            subsurface_weight=draw(0, 1),
            subsurface_color=colour(),
            specular_weight=draw(0, 1),
            specular_color=colour(),
            specular_roughness=draw(0, 1),
            specular_roughness_anisotropy=draw(0, 0.5),
            specular_ior=draw(1.1, 3),
            coat_weight=draw(0, 1),
            coat_color=colour(),
            coat_roughness=draw(0, 1),
            coat_roughness_anisotropy=draw(0, 0.5),
            coat_ior=draw(1.2, 2.2),
            coat_darkening=draw(0, 1),
            fuzz_weight=draw(0, 1),
            fuzz_color=colour(),
            fuzz_roughness=round(draw(0, 1), 1),
        )
        for _ in range(count)
    ]


AGREEING["at random"] = Region(LAYERED, anything(24), (0.5,))
REGIONS = AGREEING | DEVIATING | {"rough and anisotropic": ANISOTROPIC}


# What the reference computes


def document(inputs: Inputs) -> str:
    """A MaterialX document of one `open_pbr_surface` with constant inputs; those at their default are left out."""
    lines = []
    for field in fields(inputs):
        value = getattr(inputs, field.name)
        if value != field.default:
            kind, text = ("color3", ", ".join(map(str, value))) if isinstance(value, tuple) else ("float", str(value))
            lines.append(f'<input name="{field.name}" type="{kind}" value="{text}" />')
    return (
        '<?xml version="1.0"?><materialx version="1.39" colorspace="lin_rec709">'
        f'<open_pbr_surface name="S" type="surfaceshader">{"".join(lines)}</open_pbr_surface>'
        '<surfacematerial name="M" type="material">'
        '<input name="surfaceshader" type="surfaceshader" nodename="S" /></surfacematerial></materialx>'
    )


def views(azimuth: float) -> Array:
    """The view directions of the grid, `[6, 3]`."""
    sines = np.sqrt(1 - np.square(COSINES))
    return np.stack([sines * np.cos(azimuth), sines * np.sin(azimuth), COSINES], axis=1)


@functools.cache
def _points(count: int) -> Array:
    """The first points of a sequence that fills the unit cube evenly (Roberts 2018), `[3, count]`."""
    step = 1.2207440846057596 ** -np.arange(1, 4)
    return ((0.5 + step[:, None] * np.arange(1, count + 1)) % 1).astype(np.float32)


def reference_albedo(inputs: Inputs, azimuth: float, count: int = 1 << 14) -> Array:
    """Directional albedo `[6, 3]` of the reference at the views, by `count` directions of its sampler, `count` others.

    The others, with the cube of a uniform number as cosine, meet what the sampler seldom does: fuzz at the horizon, and
    the lobe of many bounces where that of one bounce is a line. Both densities weigh both kinds.
    """
    mi = mitsuba()
    import drjit as dr

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "material.mtlx"
        path.write_text(document(inputs), encoding="utf-8")
        material = load_reference(path, layering="scale")
    wi = mi.Vector3f(np.repeat(views(azimuth), 2 * count, axis=0).T.astype(np.float32))
    u = np.tile(np.repeat(_points(count), 2, axis=1), (1, len(COSINES)))
    first, second = mi.Float(u[0]), mi.Point2f(u[1:])
    uv = mi.Point2f(0.5, 0.5) + dr.zeros(mi.Point2f, u.shape[1])
    own, _ = material.sample_dr(uv, wi, first, second)
    z = second.x * second.x * second.x
    sine, cosine = dr.sincos(2 * dr.pi * second.y)
    r = dr.sqrt(1 - z * z)
    even = dr.arange(mi.UInt32, u.shape[1]) % 2 == 0
    wo = dr.select(even, own, mi.Vector3f(r * cosine, r * sine, z))
    low = dr.power(dr.maximum(wo.z, 1e-9), -2 / 3) / (6 * dr.pi)
    density = 0.5 * (material.pdf_dr(uv, wi, wo) + low)
    weight = dr.select(wo.z > 0, material.eval_dr(uv, wi, wo) / density, 0)
    return np.array(weight).astype(float).reshape(3, len(COSINES), -1).mean(2).T


# What the specification says, and what MaterialX's graph says


def graph_albedo(inputs: Inputs, wo: Array) -> Array:
    """`spec.albedo` with the departures of MaterialX's `open_pbr_surface` graph, each named in docs/openpbr.md."""
    metalness, weight = inputs.base_metalness, inputs.coat_weight
    dielectric, _ = spec.base_albedos(wo, inputs)
    _, metal = spec.base_albedos(wo, replace(inputs, specular_weight=1.0))
    base = spec.lerp(dielectric, inputs.specular_weight * metal, metalness)
    colour, eta = np.array(inputs.base_color), inputs.coat_ior
    body = spec.lerp(colour, np.array(inputs.subsurface_color), inputs.subsurface_weight)
    k = 1 - (1 - spec.dielectric_fresnel(np.array(1.0), eta)) / eta**2
    darkened = (1 - k) / (1 - spec.lerp(body, colour * inputs.specular_weight, metalness) * k)
    tint = spec.lerp(1, np.array(inputs.coat_color), weight) * spec.lerp(1, darkened, weight * inputs.coat_darkening)
    coat = weight * spec.coat_albedo(wo, inputs)
    return spec.under_fuzz(wo, inputs, coat + (1 - coat) * tint * base)


def against(theory: Callable[[Inputs, Array], Array], cases: list[Inputs], azimuths: tuple[float, ...]) -> Array:
    """Reference less theory, `[cases, azimuths, 6, 3]`."""
    return np.array(
        [
            [_measured(inputs, azimuth) - [theory(inputs, wo) for wo in views(azimuth)] for azimuth in azimuths]
            for inputs in cases
        ]
    )


_measured = functools.cache(reference_albedo)


@functools.cache
def _deviation(name: str, theory: Callable[[Inputs, Array], Array] = spec.albedo) -> Array:
    region = REGIONS[name]
    return against(theory, region.cases, region.azimuths)


# The tests


def assert_within(error: Array, region: Region, bound: float) -> None:
    worst = np.unravel_index(np.abs(error).argmax(), error.shape)
    inputs, azimuth, cosine = region.cases[worst[0]], region.azimuths[worst[1]], COSINES[worst[2]]
    where = f"channel {worst[3]}, cosine {cosine}, azimuth {azimuth:.2f} of {inputs}"
    assert np.abs(error).max() <= bound, f"{error[worst]:+.4f} at {where}"


WHITES = grid(base_color=(WHITE,), base_metalness=(0.0, 0.5, 1.0), coat_weight=(0.0, 1.0), fuzz_weight=(0.0, 1.0))


def test_the_specification_passes_its_own_white_furnace() -> None:
    """ "White furnace testing": a check of the equations as they are written down here."""
    for inputs in WHITES:
        rough = replace(inputs, specular_roughness=0.8, specular_roughness_anisotropy=0.6, coat_roughness=0.4)
        for case in (inputs, rough):
            albedos = [spec.albedo(case, wo) for wo in views(0.3)[::2]]
            np.testing.assert_allclose(albedos, 1, atol=2e-3, err_msg=str(case))


@pytest.mark.parametrize("inputs", WHITES, ids=lambda i: f"{i.base_metalness} {i.coat_weight} {i.fuzz_weight}")
def test_white_furnace(inputs: Inputs) -> None:
    np.testing.assert_allclose(_measured(inputs, 0.0), 1, atol=0.015)


@pytest.mark.parametrize("name", AGREEING)
def test_albedos_agree(name: str) -> None:
    assert_within(_deviation(name), AGREEING[name], AGREEING[name].bound)


@pytest.mark.parametrize("name", [*DEVIATING, "at random"])
def test_all_that_departs_is_the_graphs(name: str) -> None:
    """The reference keeps the closer bound, layers or not, to the specification with the graph's departures."""
    assert_within(_deviation(name, graph_albedo), REGIONS[name], BARE)


def test_rough_and_anisotropic_departs_most_by_the_widest_lobes(monkeypatch) -> None:
    """With widths over 1 cut as MaterialX's shaders cut them, what is left is our table's: at most 0.05."""
    uncut = spec.widths
    monkeypatch.setattr(spec, "widths", lambda r, a: spec.Widths(*np.minimum(uncut(r, a), 1)))
    assert_within(against(spec.albedo, ANISOTROPIC.cases, ANISOTROPIC.azimuths), ANISOTROPIC, LAYERED)


@pytest.mark.parametrize("name", [*DEVIATING, "rough and anisotropic"])
def test_the_regions_that_depart_do(name: str) -> None:
    """Or the page's table is out of date."""
    assert np.abs(_deviation(name)).max() > REGIONS[name].bound


@pytest.mark.parametrize("name", REGIONS)
def test_the_page_says_what_is_measured(name: str) -> None:
    error = np.abs(_deviation(name))
    numbers = r" \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) %"
    said = re.search(rf"^\| {re.escape(name)} \|.*{numbers} \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert said, f"{PAGE.name} has no row for {name}"
    over = 100 * (error > REGIONS[name].bound).mean()
    for what, text, value, reading in zip(
        ("max", "mean", "over"), said.groups(), (error.max(), error.mean(), over), (READING, READING, 1), strict=True
    ):
        assert abs(float(text) - value) <= reading, f"{name}: {PAGE.name} says {what} {text}, measured {value:.3f}"


def main() -> None:
    """Prints each region's cases and bound, the largest and mean deviation, and the share over the bound."""
    for name, region in REGIONS.items():
        error = np.abs(_deviation(name))
        count = len(region.cases) * len(region.azimuths)
        over = 100 * (error > region.bound).mean()
        print(
            f"| {name} | {count} | {region.bound} | {error.max():.3f} | {error.mean():.3f} | {over:.1f} % |", flush=True
        )


if __name__ == "__main__":
    main()

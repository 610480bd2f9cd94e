"""Ways to sample a baked material beside its own, and what is measured of any of them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.bake import proposal
from verdigris.conventions import Array, luminance
from verdigris.model import NeuralMaterial
from verdigris.model.frames import shading_frames
from verdigris.model.latents import fetch_pyramid
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.metrics import RELMSE_EPSILON
from verdigris.render.pathtrace import as_bsdf, coverage
from verdigris.render.scenes import MAX_DEPTH, build_scene
from verdigris.runtime import mitsuba

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from laws.chi2 import Grid, chi_square

PASS = 1 << 21
"""Samples drawn at once."""

FINE = 32
"""Points of the quadrature along one side of a bin; 8 miss the stretched lobes of a brushed metal at grazing views."""


class Cosine:
    """A material sampled by the cosine of wo alone."""

    def __init__(self, material: NeuralMaterial) -> None:
        self._drjit, self._mi = DrjitMaterial(material), mitsuba()

    def eval_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """The material's response."""
        return self._drjit.eval_dr(uv, wi, wo)

    def sample_dr(self, _uv: Any, wi: Any, _u1: Any, u2: Any) -> tuple[Any, Any]:
        """A direction and its density."""
        wo = self._mi.warp.square_to_cosine_hemisphere(u2)
        return wo, self.pdf_dr(None, wi, wo)

    def pdf_dr(self, _uv: Any, wi: Any, wo: Any) -> Any:
        """The cosine over pi above the horizon."""
        dr = import_module("drjit")
        return dr.select((wi.z > 0) & (wo.z > 0), wo.z / dr.pi, 0)


class PerTexel(DrjitMaterial):
    """A material sampled by one mixture a texel, that for the view along the normal: what a fit without wi gives."""

    def _mixture(self, fetched: Any, wi: Any) -> Any:
        return super()._mixture(fetched, type(wi)(0, 0, 1))


def noise(material: Any, scene: str, size: int, spp: int, renders: int) -> tuple[float, Array]:
    """relMSE of an image with `spp` samples a pixel against the mean of many, and that mean.

    From the variance over `renders` images; over the pixels that the material covers.
    """
    images = pictures(material, scene, size, spp, renders).astype(np.float64)
    mean = images.mean(axis=0)
    error = images.var(axis=0, ddof=1) / (mean**2 + RELMSE_EPSILON)
    return float(error[coverage(scene, (size, size))].mean()), mean.astype(np.float32)


def pictures(material: Any, scene: str, size: int, spp: int, renders: int) -> Array:
    """Images of different random numbers by Mitsuba's `path`, which knows no levels, `[renders, size, size, 3]`."""
    mi = mitsuba()
    loaded = build_scene(scene, as_bsdf(material), (size, size))
    path, sensor = mi.load_dict({"type": "path", "max_depth": MAX_DEPTH}), loaded.sensors()[0]
    return np.stack([np.array(path.render(loaded, sensor, seed=n, spp=spp))[..., :3] for n in range(renders)])


def chi_squares(material: NeuralMaterial, cases: int, samples: int, seed: int = 0) -> list[float]:
    """p-values at random texels, levels and views, these uniform in theta up to 87 degrees; 0 where the density
    integrates to more than 1."""
    rng, found = np.random.default_rng(seed), []
    for case in range(cases):
        level = case % len(material.latents)
        theta, phi = rng.random() * np.radians(87), rng.random() * 2 * np.pi
        uv = rng.random((1, 2))
        wi = np.array([[np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]])
        found.append(_p_value(material, uv, wi, level, samples, case))
    return found


def _p_value(material: NeuralMaterial, uv: Array, wi: Array, level: int, samples: int, seed: int) -> float:
    def draw(u: Array) -> tuple[Array, Array]:
        wo, pdf, _ = material.sample(np.repeat(uv, len(u), 0), np.repeat(wi, len(u), 0), u, level)
        return wo, pdf

    def density(wo: Array) -> Array:
        return material.pdf(np.repeat(uv, len(wo), 0), np.repeat(wi, len(wo), 0), wo, level)

    wo, pdf = draw(np.random.default_rng(seed + 1000).random((2000, 3)))
    pole = wo[pdf.argmax()].astype(float)
    near = np.median(np.arccos(np.clip(wo[pdf > 0] @ pole, -1, 1)))
    grid = Grid(tuple(pole), 4 if near < 0.2 else 2, rings=14, sectors=20, fine=FINE)
    result = chi_square(draw, density, grid, samples, seed)
    return result.p_value if result.integral < 1.003 else 0.0


def kept(material: NeuralMaterial, views: int, seed: int = 0) -> float:
    """Light that sampling keeps in a white furnace, over what the response integrated by other directions gives.

    Those are `verdigris.bake.proposal`'s, whose density no sampler of the material is part of.
    """
    rng = np.random.default_rng(seed)
    uv, tilt, phi = rng.random((views, 2), np.float32), rng.random(views) * np.pi / 2, rng.random(views) * 2 * np.pi
    wi = np.stack([np.sin(tilt) * np.cos(phi), np.sin(tilt) * np.sin(phi), np.cos(tilt)], axis=1).astype(np.float32)
    frames = shading_frames(material.frame_weight, fetch_pyramid(material.latents, uv, np.zeros(views, np.intp)))
    normals = [tuple(frames[:, k, 2].T) for k in range(frames.shape[1])]
    wo, inverse = proposal.draw(normals, tuple(wi.T), rng.random((2, 16, views), np.float32))
    truth, sampled = 0.0, 0.0
    for k, direction in enumerate(np.stack([np.asarray(axis) for axis in wo], axis=2)):
        truth += float((luminance(material.eval(uv, wi, direction)) * np.asarray(inverse)[k]).mean(dtype=np.float64))
        sampled += float(
            luminance(material.sample(uv, wi, rng.random((views, 3), np.float32))[2]).mean(dtype=np.float64)
        )
    return sampled / truth


def largest(material: NeuralMaterial, samples: int, seed: int = 0) -> float:
    """Largest weight of a sample over the mean, in luminance; texels and wi uniform."""
    mi, dr = mitsuba(), import_module("drjit")
    traced, total, top = DrjitMaterial(material), 0.0, 0.0
    passes = -(-samples // PASS)
    for number in range(passes):
        rng = mi.PCG32(PASS, dr.opaque(mi.UInt64, seed + number))
        uv = mi.Point2f(rng.next_float32(), rng.next_float32())
        wi = mi.warp.square_to_uniform_hemisphere(mi.Point2f(rng.next_float32(), rng.next_float32()))
        wo, pdf = traced.sample_dr(uv, wi, rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32()))
        weight = dr.select(pdf > 0, mi.luminance(traced.eval_dr(uv, wi, wo)) / pdf, 0)
        mean, most = dr.mean(weight), dr.max(weight)
        dr.eval(mean, most)
        total, top = total + float(mean[0]), max(top, float(most[0]))
    return top / (total / passes)

"""Random queries of a material, its answers by NumPy, and shaders that answer them: for every language's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_samples import queries
from verdigris.conventions import to_srgb
from verdigris.model import NeuralMaterial

COUNT = 4096

INPUTS, OUTPUTS = 3, 8
"""Vectors of four that a query and its answer take."""


@dataclass(frozen=True)
class Queries:
    """uv `[n, 2]`, level `[n]`, wi, wo, u `[n, 3]`, float32."""

    uv: np.ndarray
    level: np.ndarray
    wi: np.ndarray
    wo: np.ndarray
    u: np.ndarray

    def packed(self) -> np.ndarray:
        """`[n, 12]` float32: what shaders read."""
        columns = (self.uv, self.level[:, None], self.wi, self.wo, self.u)
        return np.ascontiguousarray(np.concatenate(columns, axis=1).astype(np.float32))


def random_queries(material: NeuralMaterial, n: int = COUNT, seed: int = 3) -> Queries:
    """Queries all over the uv plane and all levels; a tenth of the directions lie below the horizon."""
    uv, wi, wo = (array.astype(np.float32) for array in queries(n, seed, 0.1))
    rng = np.random.default_rng(seed + 1)
    u = rng.random((n, 3)).astype(np.float32)
    return Queries(
        uv, rng.integers(len(material.latents), size=n).astype(np.float32), wi, wo, np.minimum(u, 1 - 2**-24)
    )


def check(
    material: NeuralMaterial,
    asked: Queries,
    answer: np.ndarray,
    relative: float = 1e-3,
    floor: float = 1e-4,
    worst: float | None = None,
) -> None:
    """Asserts that a shader's answers `[n, 32]` are NumPy's: to a relative error, and 1/255 in display values.

    relative: 1e-3 is ten times what single precision costs here: sums of 30 products in another order, and built-in
    exponentials of 3 units in the last place at numbers near 15. Where a lobe is narrower than its density's digits
    (a pdf or a direction 1e-3 off), the worst query in a thousand may be off by ten times as much. worst: of the
    response and the density of a given direction, where that is not meant.
    """
    answer = answer.reshape(len(asked.uv), -1)
    uv, wi, level = asked.uv, asked.wi, asked.level
    response = material.eval(uv, wi, asked.wo, level)
    close(answer[:, :3], response, relative, floor, worst)
    assert np.abs(to_srgb(answer[:, :3]) - to_srgb(response)).max() <= 1 / 255
    close(answer[:, 3], material.pdf(uv, wi, asked.wo, level), relative, floor, worst)
    wo, pdf, _ = material.sample(uv, wi, asked.u, level)
    # At an edge between two lobes the shader may take the other one.
    same = np.abs(answer[:, 4:7] - wo).max(axis=1) < 0.02
    assert same[pdf > 0].mean() > 0.998
    close(answer[pdf > 0, 7][same[pdf > 0]], pdf[pdf > 0][same[pdf > 0]], 10 * relative, floor)
    if "albedo" in material.heads:
        close(answer[:, 8:11], material.albedo(uv, wi, level), relative, floor)
    close(answer[:, 11], material.opacity(uv, level), relative, floor)
    if "guides" in material.heads:
        albedo, normal, roughness = material.guides(uv, level)
        close(answer[:, 12:16], np.concatenate([albedo, roughness[:, None]], axis=1), relative, floor)
        np.testing.assert_allclose(answer[:, 16:19], normal, atol=relative)
    close(answer[:, 20:23], material.emission(uv, level), relative, floor)


def close(got: np.ndarray, expected: np.ndarray, relative: float, floor: float, worst: float | None = None) -> None:
    """Asserts a relative error for all but one number in a thousand, `worst` for the rest: ten times it unless given.

    floor: numbers below it count as it.
    """
    assert np.isfinite(got).all()
    error = np.abs(got - expected) / np.maximum(np.abs(expected), floor)
    assert np.quantile(error, 0.999) <= relative and error.max() <= (worst or 10 * relative), (
        f"relative errors: 99.9 % below {np.quantile(error, 0.999)}, worst {error.max()}"
    )

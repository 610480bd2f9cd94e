"""Fits the interim sampler: weights of fixed candidate lobes, by expectation maximisation.

The logarithm of a mixture is concave in its weights, so EM finds the best ones whatever it starts from.
"""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Lobe
from verdigris.model.sampler import lobe_axis, lobe_pdf

ALPHAS = (0.0025, 0.007, 0.02, 0.055, 0.15, 0.4)
COSINE_FLOOR = 0.1
"""Share the cosine lobe keeps: it bounds the weight of a sample wherever the other lobes miss the response."""

WEIGHT_MIN = 0.01
ITERATIONS = 60


def candidates(frames: int) -> list[Lobe]:
    """A cosine lobe and GGX lobes of all widths about the geometric normal and each learned one, equal weights."""
    shapes = [("cosine", -1, 0.0)] + [("ggx", frame, alpha) for frame in range(-1, frames) for alpha in ALPHAS]
    return [Lobe(kind, frame, alpha, 1.0 / len(shapes)) for kind, frame, alpha in shapes]  # type: ignore[arg-type]


def expectation_maximisation(density: Array, importance: Array, iterations: int = ITERATIONS) -> Array:
    """Mixture weights `[L]` that maximise sum_i importance_i log(sum_l w_l density_il), `[n, L], [n] -> [L]`."""
    weights = np.full(density.shape[1], 1.0 / density.shape[1])
    share = importance / max(importance.sum(), 1e-30)
    for _ in range(iterations):
        joint = density * weights
        weights = share @ (joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-30))
    return weights / max(weights.sum(), 1e-30)


def fit(normals: Array, wi: Array, wo: Array, importance: Array) -> tuple[Lobe, ...]:
    """Lobes for directions `[n, 3]` that stand for the response: `importance` `[n]` is response / density of drawing.

    normals: `[n, F, 3]` of the learned frames. Lobes below 1 % are dropped, the cosine lobe keeps 10 % at least.
    """
    lobes = candidates(normals.shape[1])
    density = np.stack([lobe_pdf(lobe, lobe_axis(lobe, normals), wi, wo) for lobe in lobes], axis=1).astype(np.float64)
    # A single lucky draw must not decide: response / density has a heavy tail where the sampler misses a lobe.
    importance = np.minimum(importance, 20.0 * importance.mean()).astype(np.float64)
    weights = expectation_maximisation(density, importance)
    weights[1:][weights[1:] < WEIGHT_MIN] = 0.0
    others = weights[1:].sum()
    cosine = 1.0 if others == 0.0 else max(weights[0] / (weights[0] + others), COSINE_FLOOR)
    weights = np.concatenate([[cosine], weights[1:] * ((1.0 - cosine) / max(others, 1e-30))])
    return tuple(
        Lobe(lobe.kind, lobe.frame, lobe.alpha, float(weight))
        for lobe, weight in zip(lobes, weights, strict=True)
        if weight > 0.0
    )

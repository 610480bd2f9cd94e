"""Measures a baked material against its reference on queries it was not trained on: the report stored in the asset."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from verdigris.bake.blur import Blur, Footprint
from verdigris.bake.config import DirectionMix
from verdigris.bake.queries import QuerySource
from verdigris.conventions import Array
from verdigris.errors import BakeError
from verdigris.model.neural import NeuralMaterial

KINDS = {
    "half": DirectionMix(1.0, 0.0, 0.0),
    "cosine": DirectionMix(0.0, 1.0, 0.0),
    "sampled": DirectionMix(0.0, 0.0, 1.0),
}
"""The report asks a third of its queries in each way, whatever mixture the bake learned from."""

ALBEDO_POINTS, ALBEDO_SAMPLES = 128, 256
RELATIVE_EPSILON = 1e-2

LEVEL_QUERIES, LEVEL_SAMPLES = 1024, 64
"""Queries at each level above 0, and positions of its footprint that the truth of one averages."""

Forward = Callable[[Array, Array, Array], Array]


def power_l1(learned: Array, true: Array) -> float:
    """Mean of 3 |x^(1/3) - y^(1/3)|, the error of the training loss of that name."""
    return float(np.mean(3.0 * np.abs(np.cbrt(learned) - np.cbrt(true))))


def relative_l1(learned: Array, true: Array) -> float:
    """Mean of |x - y| / (y + 0.01)."""
    return float(np.mean(np.abs(learned - true) / (true + RELATIVE_EPSILON)))


def relative_l2(learned: Array, true: Array) -> float:
    """Mean of ((x - y) / (y + 0.01))^2."""
    return float(np.mean(np.square((learned - true) / (true + RELATIVE_EPSILON))))


def reciprocity_error(forward: Forward, uv: Array, wi: Array, wo: Array) -> float:
    """Mean |f(wi, wo) - f(wo, wi)| over their mean, f without the cosine; pairs near the horizon are left out."""
    keep = (wi[:, 2] > 0.1) & (wo[:, 2] > 0.1)
    uv, wi, wo = uv[keep], wi[keep], wo[keep]
    there, back = forward(uv, wi, wo) / wo[:, 2:], forward(uv, wo, wi) / wi[:, 2:]
    return float(np.mean(np.abs(there - back))) / max(float(np.mean(there + back)) / 2.0, 1e-12)


def inverse_density(wo: Array, pdf: Array) -> Array:
    """1 / density of sampled directions, `[n, 3], [n] -> [n]`; 0 where the reference's sampler failed.

    A quarter of the cosine density is added: else the few directions that the reference's sampler hardly ever takes
    (a density of 1e-4 at grazing angles) outweigh all others, and a sum says nothing about a learned response.
    """
    return np.where(pdf > 0, 1.0 / (pdf + 0.25 / np.pi * wo[:, 2] + 1e-12), 0.0)


def energy_ratio(learned: Array, true: Array, weight: Array) -> float:
    """Learned over true energy, `[n, 3]` twice, of queries that count by `weight` `[n]`: see `inverse_density`."""
    return float((learned * weight[:, None]).mean() / max((true * weight[:, None]).mean(), 1e-12))


def albedo_max(material: NeuralMaterial, rng: np.random.Generator) -> float:
    """Largest channel of the directional albedo over random points and views, from the material's own sampler."""
    theta, phi = rng.random(ALBEDO_POINTS) * 0.45 * np.pi, rng.random(ALBEDO_POINTS) * 2.0 * np.pi
    wi = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)
    uv = np.repeat(rng.random((ALBEDO_POINTS, 2), dtype=np.float32), ALBEDO_SAMPLES, axis=0)
    wi = np.repeat(wi.astype(np.float32), ALBEDO_SAMPLES, axis=0)
    u = rng.random((ALBEDO_POINTS * ALBEDO_SAMPLES, 3), dtype=np.float32)
    weight = material.sample(uv, wi, u)[2]
    return float(weight.reshape(ALBEDO_POINTS, ALBEDO_SAMPLES, 3).mean(axis=1).max())


def by_level(
    material: NeuralMaterial, source: QuerySource, sides: Sequence[int], rng: np.random.Generator
) -> dict[str, list[float]]:
    """At levels 1, 2, ... against responses averaged over footprints: the power-L1 of all kinds of queries, and learned
    over true energy, both as they are of level 0.

    sides: of these levels; where the material has not so many, its last one answers.
    """
    n = LEVEL_QUERIES * len(sides)
    level = np.repeat(np.arange(1.0, len(sides) + 1.0), LEVEL_QUERIES)
    spread = np.repeat(1.0 / np.asarray(sides, np.float32), LEVEL_QUERIES)
    blur = Blur(footprint=Footprint(0.5 * spread, LEVEL_SAMPLES))
    errors, ratios = np.zeros(len(sides)), np.zeros(len(sides))
    for kind, mix in KINDS.items():
        uv = rng.random((n, 2), dtype=np.float32)
        queries = source.directions(uv[:, 0], uv[:, 1], int(rng.integers(2**63)), mix, spread, blur)
        wi, wo, target, pdf = queries.numpy()
        answer, weight = material.eval(uv, wi, wo, level), inverse_density(wo, pdf)
        for index, mine in enumerate(np.split(np.arange(n), len(sides))):
            errors[index] += power_l1(answer[mine], target[mine]) / len(KINDS)
            if kind == "sampled":
                ratios[index] = energy_ratio(answer[mine], target[mine], weight[mine])
    return {"power_l1_by_level": errors.tolist(), "light_by_level": ratios.tolist()}


def measure(material: NeuralMaterial, source: QuerySource, samples: int, rng: np.random.Generator) -> dict[str, object]:
    """The report as plain numbers, from `samples` held-out queries at level 0, and some at each level above.

    Raises BakeError when the material answers with a value that is not finite.
    """
    learned, true, by_kind = [], [], {}
    sides = [level.shape[1] for level in material.latents[1:]]
    for kind, mix in KINDS.items():
        uv = rng.random((samples // 3, 2), dtype=np.float32)
        queries = source.directions(uv[:, 0], uv[:, 1], int(rng.integers(2**63)), mix)
        wi, wo, target, pdf = queries.numpy()
        answer = material.eval(uv, wi, wo)
        if not np.isfinite(answer).all():
            raise BakeError(f"{source.reference.name}: the baked material answers with values that are not finite")
        learned.append(answer)
        true.append(target)
        by_kind[kind] = power_l1(answer, target)
    source.check()
    # `uv`, `wi`, `wo`, `pdf` are now the sampled third.
    energy = energy_ratio(learned[-1], true[-1], inverse_density(wo, pdf))
    learned_all, true_all = np.concatenate(learned), np.concatenate(true)
    return {
        "samples": len(learned_all),
        "power_l1": power_l1(learned_all, true_all),
        "power_l1_by_kind": by_kind,
        "relative_l1": relative_l1(learned_all, true_all),
        "relative_l2": relative_l2(learned_all, true_all),
        "energy_ratio": energy,
        "albedo_max": albedo_max(material, rng),
        "reciprocity_error": reciprocity_error(material.eval, uv, wi, wo),
        **(by_level(material, source, sides, rng) if sides else {}),
    }

"""The furnace that a baked material must not heat, a closed sphere seen from inside; and the cap that sees to it.

By symmetry a ray meets the sphere again at the angle at which it left. Its place on the material is drawn anew at each
bounce, which stands for a sphere on which the texture repeats often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from verdigris.conventions import Array
from verdigris.model.auxiliary import Layers
from verdigris.model.neural import NeuralMaterial

BOUNCES = 64
PATHS = 1 << 16
FEW_BOUNCES, FEW_PATHS, FAR = 4, 1 << 12, 0.5
"""A quick look first: what leaves less than FAR of the energy after a few bounces is far from gaining any."""

MARGIN = 1e-3
"""Share that is lost at each bounce where a material is dimmed: twice the noise of its gain."""

Sample = Callable[[Array, Array, Array], tuple[Array, Array, Array]]
"""As `NeuralMaterial.sample`."""


def energy(sample: Sample, rng: np.random.Generator, bounces: int = BOUNCES, paths: int = PATHS) -> Array:
    """What 1 is after 1 to `bounces` bounces, `[bounces, 3]`; the first rays arrive cosine-distributed.

    After each bounce paths are drawn again in proportion to what they carry, or their weights would spread without end.
    """
    height = np.sqrt((np.arange(paths) + rng.random(paths)) / paths)
    carried, found = np.ones((paths, 3)), []
    for _ in range(bounces):
        phi, wide = rng.random(paths) * 2.0 * np.pi, np.sqrt(1.0 - height * height)
        wi = np.stack([wide * np.cos(phi), wide * np.sin(phi), np.maximum(height, 1e-4)], axis=1)
        wo, _, weight = sample(
            rng.random((paths, 2), dtype=np.float32), wi.astype(np.float32), rng.random((paths, 3), dtype=np.float32)
        )
        carried = carried * weight
        found.append(carried.mean(axis=0))
        share = carried.mean(axis=1)
        if not 0.0 < share.mean() < np.inf:
            break
        kept = _drawn(share, rng.random())
        carried = carried[kept] * (share.mean() / share[kept])[:, None]
        height = np.clip(wo[kept, 2], 0.0, 1.0)
    return np.array(found + [found[-1]] * (bounces - len(found)))


def _drawn(share: Array, offset: float) -> Array:
    """Indices `[n]` drawn in proportion to shares `[n]`, at even steps of their sum."""
    edges = np.cumsum(share)
    steps = (np.arange(len(share)) + offset) * (edges[-1] / len(share))
    return np.minimum(np.searchsorted(edges, steps, side="right"), np.flatnonzero(share)[-1])


def gain(material: NeuralMaterial, rng: np.random.Generator) -> float:
    """The factor a bounce, over 1 to BOUNCES bounces, by which the energy of a channel grows most; 0 where it is far
    from growing."""
    first = energy(material.sample, rng, FEW_BOUNCES, FEW_PATHS)
    if not np.isfinite(first).all() or first[-1].max() < FAR:
        return 0.0
    found = energy(material.sample, rng, BOUNCES, PATHS)
    return float(np.max(found.max(axis=1) ** (1.0 / np.arange(1, BOUNCES + 1))))


def conserving(materials: Sequence[NeuralMaterial], rng: np.random.Generator) -> tuple[list[NeuralMaterial], float]:
    """Materials that share a network, dimmed alike until none gains energy, and the factor; 1 where none does.

    The decoder's answer is an exponential, as is the sigmoid's far below its 1e5: a bias is a factor. Biases are
    rounded down to what float16 holds.
    """
    factor = min((1.0 - MARGIN) / max(gain(material, rng), 1.0 - MARGIN) for material in materials)
    return ([_dimmed(material, factor) for material in materials] if factor < 1.0 else list(materials)), factor


def _dimmed(material: NeuralMaterial, factor: float) -> NeuralMaterial:
    far = material.far
    dimmed = None if far is None else replace(far, layers=_with_dimmed_end(far.layers, factor))
    return replace(material, layers=_with_dimmed_end(material.layers, factor), far=dimmed)


def _with_dimmed_end(layers: Layers, factor: float) -> Layers:
    weight, bias = layers[-1]
    wanted = bias + np.float32(np.log(factor))
    nearest = wanted.astype(np.float16)
    below = np.where(nearest > wanted, np.nextafter(nearest, np.float16(-np.inf)), nearest)
    return (*layers[:-1], (weight, below.astype(bias.dtype)))

"""Colour augmentation [T, Bitterli et al. 2026]: a query's colours permuted or repeated while the encoder trains.

The decoder so sees more colours than the material has. A latent stays well defined: the encoder sees the same change in
its inputs as the target. Colours that are constant over the surface are no inputs of it, though they shape the target;
for these a mark is added to the inputs, a constant colour whose three numbers tell the channels apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from verdigris.materials import closure_tree
from verdigris.materials.graph import Port
from verdigris.materials.reference import ReferenceMaterial

Channels = NDArray[np.int8]

MARK = (0.0, 0.5, 1.0)
"""The colour that is added to the encoder's inputs, last, where colours are augmented."""


def colour_inputs(reference: Any) -> tuple[int, ...]:
    """Index of the first number of each colour in `reference.parameters_dr`, in ascending order.

    Known from the types of a MaterialX graph, where the coefficients of a medium are vectors that count as colours;
    none for a Mitsuba BSDF, whose textures do not say what they hold.
    """
    if not isinstance(reference, ReferenceMaterial):
        return ()
    media, found, index = set(_media_inputs(reference.tree)), [], 0
    for port in closure_tree.parameters(reference.tree):
        node, width = reference.graph.nodes[port.node], reference.width(port)
        if node.type == "color3" or node.category == "artistic_ior" or (width == 3 and port in media):
            found.append(index)
        index += width
    return tuple(found)


def _media_inputs(tree: closure_tree.Tree) -> Iterator[Port]:
    if isinstance(tree, closure_tree.Filled):
        yield from (value for value in tree.medium.inputs.values() if isinstance(value, Port))
    for child in closure_tree.children(tree):
        yield from _media_inputs(child)


def draw(rng: np.random.Generator, n: int, probability: float) -> Channels:
    """For each of n queries, the channel that stands in for R, G and B, `[3, n]` in 0..2.

    With the given probability one of the 27 maps of three channels onto three, all equally likely; else (0, 1, 2).
    """
    identity = np.arange(3, dtype=np.int8)[:, None]
    return np.where(rng.random(n) < probability, rng.integers(3, size=(3, n), dtype=np.int8), identity)


def mapped(channels: jax.Array, colour: Sequence[jax.Array]) -> list[jax.Array]:
    """Three rows `[n]` of a colour with their channels replaced as `channels` `[3, n]` says."""
    red, green, blue = colour
    return [jnp.where(c == 0, red, jnp.where(c == 1, green, blue)) for c in channels]


def mapped_inputs(channels: jax.Array, values: Sequence[jax.Array], colours: Sequence[int]) -> list[jax.Array]:
    """The encoder's inputs, rows `[n]`, with every colour in them mapped; `colours`: the first index of each."""
    result = list(values)
    for first in colours:
        result[first : first + 3] = mapped(channels, result[first : first + 3])
    return result

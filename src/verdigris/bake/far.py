"""The phase of far levels: texels of coarse levels and the layers that the decoder has there, all else as it is.

Fine-tuned with level 0, coarse levels lack what they do not have in common with it: hue, and brightness at grazing
views. They have few texels, and learn in a twentieth of the samples. The loss seeks the mean of noisy targets from the
beginning, through a greater noise than in the fine-tuning. docs/level-of-detail.md has what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part
from verdigris.bake.phases import Learner, Phase, Texture, optimiser_state, tune_phase
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import Network

BEND, POSITIONS = 32.0, 8
"""See `losses.power_mean`; positions of its footprint that a target averages, where no setting says otherwise. A loss
that seeks the mean through so much noise needs few, and learns from four times the queries in the same time."""

Tree = Any


def numbers(config: BakeConfig, textures: Sequence[Texture]) -> tuple[int, ...]:
    """Which of the textures are far: above level 0, of `far_side` texels a side or fewer."""
    return tuple(number for number, texture in enumerate(textures) if texture.level and texture.side <= config.far_side)


def first_level(config: BakeConfig, textures: Sequence[Texture]) -> int | None:
    """The first far level of the textures, if any is."""
    return min((textures[number].level for number in numbers(config, textures)), default=None)


def samples(config: BakeConfig, tune_samples: int) -> int:
    """Of the phase beside a fine-tuning of so many samples; 0: there is none."""
    return round(config.far_share * tune_samples)


def first_state(state: Tree) -> Tree:
    """The state with the layers, which begin as the decoder's."""
    layers = state["network"]["values"]["layers"][1:]
    return {**state, "far": optimiser_state(jax.tree.map(jnp.asarray, layers))}


def network(values: Network, layers: Sequence[tuple[Any, Any]]) -> Network:
    """The network at far levels, from the one of all others and these layers."""
    return {**values, "layers": [values["layers"][0], *layers]}


def far_phase(
    config: BakeConfig, sources: Sequence[QuerySource], textures: Sequence[Texture], part: Part, before: int
) -> Phase:
    """The far layers (state `far`) with the texels of far levels.

    textures: all, far or not. before: chunks of the phases before.
    """
    mine = numbers(config, textures)
    # As many steps for each level: the coarsest are most of a far view, and all are small.
    samples = config.footprint_samples or POSITIONS
    chosen = [replace(textures[number], share=1.0, samples=samples) for number in mine]
    learner = Learner("far", lambda state, layers: network(state["network"]["values"], layers), mine, BEND)
    settled = replace(config, settle_share=1.0)
    return tune_phase(settled, sources, chosen, part.of * config.chunk, before, part, learner)

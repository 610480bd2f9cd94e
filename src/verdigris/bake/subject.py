"""One of the materials of a bake: its reference, who asks it, and what it takes part in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from verdigris.bake import auxiliary, levels, noise
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Texture, encodes
from verdigris.bake.queries import QuerySource


@dataclass(frozen=True, eq=False)
class Subject:
    """estimates: walks that a target averages. signals: heads that its latents must hold. encodes: whether an encoder
    has anything to see. levels: of its latent texture. encode_samples, tune_samples: its part of the budgets."""

    reference: Any
    source: QuerySource
    estimates: int
    signals: tuple[str, ...]
    encodes: bool
    levels: tuple[Texture, ...]
    encode_samples: int
    tune_samples: int

    @property
    def heads(self) -> tuple[str, ...]:
        """All heads that it has something for."""
        return auxiliary.wanted(self.reference)

    def textures(self, number: int) -> list[Texture]:
        """Its latent textures, as the material of that number."""
        return [replace(level, source=number, share=self.tune_samples * level.share) for level in self.levels]


def subject(reference: Any, config: BakeConfig) -> Subject:
    """A material that is baked alone."""
    estimates = config.estimates or noise.estimates_for(reference, config.seed)
    reference = reference.averaging(estimates)
    source = QuerySource(reference, config.mix, marked=config.augment_colours > 0.0)
    # Heads keep latents that vary even where the reflection does not.
    signals = auxiliary.surface(reference) if config.auxiliary_samples else ()
    varying = reference.varying or (bool(signals) and reference.signals_vary)
    side = config.resolution if varying else 1
    return Subject(
        reference,
        source,
        estimates,
        signals,
        encodes(reference),
        levels.textures(config, side, noise.positions_for(source, side, config.seed) if reference.varying else 1),
        config.encode_samples if encodes(reference) else 0,
        config.tune_samples if varying else config.uniform_samples,
    )


def beside_others(subjects: list[Subject], config: BakeConfig) -> list[Subject]:
    """Materials that share a network: all see an encoder phase where one does, for what they would learn from alone.

    An encoder that sees nothing of a material gives it one latent everywhere. The phases of a uniform material are
    parts of its one budget. What the emission head answers must mean one radiance for all.
    """
    unit = max((one.source.emission_unit for one in subjects if "emission" in one.heads), default=1.0)
    for one in subjects:
        one.source.emission_unit = unit
    if not any(one.encodes for one in subjects):
        return subjects
    share = config.encode_samples / (config.encode_samples + config.tune_samples)
    return [one if one.encodes else _split(one, config, share) for one in subjects]


def _split(one: Subject, config: BakeConfig, share: float) -> Subject:
    if one.levels[0].side > 1:
        return replace(one, encode_samples=config.encode_samples)
    encode = max(round(one.tune_samples * share), 1)
    return replace(one, encode_samples=encode, tune_samples=max(one.tune_samples - encode, 1))

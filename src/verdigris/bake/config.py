"""How a bake is run, as frozen data, and the named presets."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from verdigris.errors import BakeError
from verdigris.model.auxiliary import check_hidden
from verdigris.model.config import ModelConfig
from verdigris.model.grid import LATENT_BITS

LossName = Literal["power_l1", "log_l1", "relative_l1", "relative_l2", "smape"]
LOSSES = ("power_l1", "log_l1", "relative_l1", "relative_l2", "smape")
ESTIMATES_MAX = 64
AUXILIARY_DRAWS_MAX = 256
MOLLIFY_DEGREES_MAX, MOLLIFY_SAMPLES_MAX = 45.0, 1024
BATCH_MIN = 64
LEVELS_MAX, FOOTPRINT_SAMPLES_MAX = 14, 256
INSTANCES = (1, 4, 16, 64)
SETTLE_RISE = 0.1
RESOLUTION_MIN, RESOLUTION_MAX = 16, 8192
"""A texture side below 16 holds no 9 x 9 tile with room to move; the upper limit is memory."""


@dataclass(frozen=True)
class DirectionMix:
    """Shares of the direction pairs a bake learns from; they sum to 1.

    half: half/difference angles uniform (Rusinkiewicz). cosine: wi uniform in theta, wo cosine-weighted.
    sampled: wi uniform in theta, wo from the reference's own sampler, so that narrow lobes are seen.
    """

    half: float = 0.5
    cosine: float = 0.2
    sampled: float = 0.3

    def __post_init__(self) -> None:
        shares = (self.half, self.cosine, self.sampled)
        if min(shares) < 0.0 or abs(sum(shares) - 1.0) > 1e-6:
            raise BakeError(f"mix: expected three shares >= 0 that sum to 1, got {shares}")


@dataclass(frozen=True)
class BakeConfig:
    """Settings of one bake; budgets are in samples (queries), so a result depends on the seed alone, not on time.

    resolution: side of the latent texture in texels; a material that does not vary over uv gets 1 x 1.
    encode_samples, tune_samples: budget of each phase; a uniform material spends `uniform_samples` in one phase.
    batch: queries an optimiser step. chunk_steps: steps a chunk of queries made at once.
    rate, texel_rate: Adam's step size for the networks and for the texels, constant while the encoder trains, then
    falling by a half cosine to `rate_end` times their start.
    estimates: walks that a target averages where the reference is walked; 0: as many as its noise asks for.
    settle_share: of the fine-tuning, its end, in which `losses.power_mean` takes the place of `loss`: noisy targets and
    texels that hold many responses end at their mean then, not at their median.
    mollify_degrees, mollify_share, mollify_samples: blur of the targets at the start, see `cone`. 0 degrees: none. A
    blurred target costs `mollify_samples` evaluations of the reference.
    augment_colours: probability at the start of the encoder phase that a query's colours are permuted or repeated, in
    the encoder's inputs and in the target alike; it falls to 0 over the phase (see `colours.py`).
    instances: trainings that the first phase begins with, 1, 4, 16 or 64, of which a quarter goes on again and again
    until one is left, over `instance_share` of the phase: see `instances.py`. Only a phase with an encoder, or of a
    material that does not vary, has several. More than one did not pay where it was measured: docs/training.md.
    auxiliary_samples: budget of the last phase, which trains the auxiliary heads while all else is frozen; 0: no heads.
    auxiliary_hidden: widths of their hidden layers. auxiliary_draws: directions that a target of the albedo averages.
    surface_weight: of the loss of emission and opacity in the tuning phase, where the latents learn to hold them.
    levels: of the latent texture, each with half the side of the one before; 0: all, down to one texel. Those above
    level 0 learn responses averaged over a footprint (see `levels.py`), from a share `level_share` of the queries of
    each phase, each averaged over `footprint_samples` positions; 0: the more the coarser its level is.
    far_share, far_side: samples of the phase in which levels of `far_side` texels a side or fewer learn with layers of
    the decoder for them alone (see `far.py`), as a share of those of the fine-tuning; 0: no such layers.
    sampler_share: directions that the sampler learns from, as a share of the samples of the fine-tuning.
    latent_bits: of a stored latent: 16 (float16), 8 or 4. With fewer than 16 the last `quantise_share` of the
    fine-tuning sees quantised latents, see `quantise.py`. The one texel of a material that does not vary has 16.
    """

    preset: str = "standard"
    model: ModelConfig = ModelConfig()
    resolution: int = 512
    seed: int = 0
    encode_samples: int = 30_000_000
    tune_samples: int = 150_000_000
    uniform_samples: int = 60_000_000
    batch: int = 2048
    chunk_steps: int = 256
    mix: DirectionMix = DirectionMix()
    loss: LossName = "power_l1"
    rate: float = 8e-3
    texel_rate: float = 1e-2
    rate_end: float = 0.01
    report_samples: int = 65536
    estimates: int = 0
    settle_share: float = 0.3
    mollify_degrees: float = 0.0
    mollify_share: float = 0.07
    mollify_samples: int = 16
    augment_colours: float = 0.0
    instances: int = 1
    instance_share: float = 0.5
    auxiliary_samples: int = 4_000_000
    auxiliary_hidden: tuple[int, ...] = (16, 16)
    auxiliary_draws: int = 4
    surface_weight: float = 0.1
    levels: int = 0
    level_share: float = 0.15
    footprint_samples: int = 0
    far_share: float = 0.04
    far_side: int = 32
    sampler_share: float = 0.1
    latent_bits: int = 16
    quantise_share: float = 0.7

    def __post_init__(self) -> None:
        if not RESOLUTION_MIN <= self.resolution <= RESOLUTION_MAX:
            raise BakeError(f"resolution: expected {RESOLUTION_MIN} to {RESOLUTION_MAX}, got {self.resolution}")
        if not 0 <= self.seed < 2**32:
            raise BakeError(f"seed: expected 0 to {2**32 - 1}, got {self.seed}")
        if not 0 <= self.estimates <= ESTIMATES_MAX:
            raise BakeError(f"estimates: expected 0 to {ESTIMATES_MAX}, got {self.estimates}")
        if self.batch < BATCH_MIN or self.batch & (self.batch - 1):
            raise BakeError(f"batch: expected a power of two of {BATCH_MIN} or more, got {self.batch}")
        if self.loss not in LOSSES:
            raise BakeError(f"loss: expected one of {', '.join(LOSSES)}, got {self.loss!r}")
        if not 0 <= self.mollify_degrees <= MOLLIFY_DEGREES_MAX:
            raise BakeError(f"mollify_degrees: expected 0 to {MOLLIFY_DEGREES_MAX:g}, got {self.mollify_degrees}")
        if not 1 <= self.mollify_samples <= MOLLIFY_SAMPLES_MAX:
            raise BakeError(f"mollify_samples: expected 1 to {MOLLIFY_SAMPLES_MAX}, got {self.mollify_samples}")
        for name in ("mollify_share", "augment_colours", "settle_share", "far_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise BakeError(f"{name}: expected 0 to 1, got {getattr(self, name)}")
        if not 0 <= self.levels <= LEVELS_MAX:
            raise BakeError(f"levels: expected 0 to {LEVELS_MAX}, got {self.levels}")
        if not 0 < self.level_share < 1:
            raise BakeError(f"level_share: expected more than 0 and less than 1, got {self.level_share}")
        if not 0 <= self.footprint_samples <= FOOTPRINT_SAMPLES_MAX:
            raise BakeError(f"footprint_samples: expected 0 to {FOOTPRINT_SAMPLES_MAX}, got {self.footprint_samples}")
        if not 1 <= self.far_side <= RESOLUTION_MAX:
            raise BakeError(f"far_side: expected 1 to {RESOLUTION_MAX}, got {self.far_side}")
        if self.latent_bits not in LATENT_BITS:
            raise BakeError(f"latent_bits: expected 16, 8 or 4, got {self.latent_bits}")
        for name in ("quantise_share", "sampler_share"):
            if not 0 < getattr(self, name) <= 1:
                raise BakeError(f"{name}: expected more than 0, up to 1, got {getattr(self, name)}")
        if self.instances not in INSTANCES:
            raise BakeError(f"instances: expected one of {', '.join(map(str, INSTANCES))}, got {self.instances}")
        if not 0 < self.instance_share < 1:
            raise BakeError(f"instance_share: expected more than 0 and less than 1, got {self.instance_share}")
        for name in ("auxiliary_samples", "surface_weight"):
            if not getattr(self, name) >= 0:
                raise BakeError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not 1 <= self.auxiliary_draws <= AUXILIARY_DRAWS_MAX:
            raise BakeError(f"auxiliary_draws: expected 1 to {AUXILIARY_DRAWS_MAX}, got {self.auxiliary_draws}")
        try:
            check_hidden(self.auxiliary_hidden)
        except ValueError as error:
            raise BakeError(str(error).replace(".", "_", 1)) from error
        positive = ("encode_samples", "tune_samples", "uniform_samples", "chunk_steps", "rate", "texel_rate")
        for name in (*positive, "rate_end", "report_samples"):
            if not getattr(self, name) > 0:
                raise BakeError(f"{name}: expected more than 0, got {getattr(self, name)}")

    @property
    def chunk(self) -> int:
        """Queries in one chunk."""
        return self.batch * self.chunk_steps

    def settles(self, progress: Any) -> Any:
        """Weight of `losses.power_mean` at a progress of the fine-tuning (0 to 1, a number or an array).

        It rises to 1 over the first SETTLE_RISE of the share.
        """
        if not self.settle_share:
            return 0.0 * progress
        return ((progress - 1.0) / (SETTLE_RISE * self.settle_share) + 1.0 / SETTLE_RISE).clip(0.0, 1.0)

    def sampler_samples(self, tune_samples: int) -> int:
        """Directions that the sampler learns from beside a fine-tuning of so many samples."""
        return max(round(self.sampler_share * tune_samples), 1)

    def chunks(self, samples: int) -> int:
        """Chunks that hold at least `samples` queries."""
        return -(-samples // self.chunk)

    def cone(self, done: float) -> float:
        """Largest angle in radians by which wo is jittered once a share `done` (0 to 1) of the training is over.

        0.5 `mollify_degrees` (1 + cos(pi done / `mollify_share`)), and 0 after that share. [P] has 10 degrees over the
        first 20 000 of 300 000 iterations and 256 samples a target.
        """
        if done >= self.mollify_share:
            return 0.0
        return 0.5 * math.radians(self.mollify_degrees) * (1.0 + math.cos(math.pi * done / self.mollify_share))


PRESETS = {
    "draft": BakeConfig("draft", encode_samples=12_000_000, tune_samples=50_000_000, uniform_samples=30_000_000),
    "standard": BakeConfig("standard"),
    "final": BakeConfig(
        "final", encode_samples=60_000_000, tune_samples=900_000_000, uniform_samples=200_000_000, far_share=0.01
    ),
}


def preset(name: str, **changes: Any) -> BakeConfig:
    """The named preset with some fields replaced, e.g. `preset("draft", resolution=256, seed=3)`.

    Raises BakeError for an unknown preset or field, or a value out of range.
    """
    if name not in PRESETS:
        raise BakeError(f"preset: expected one of {', '.join(PRESETS)}, got {name!r}")
    unknown = sorted(set(changes) - {field.name for field in fields(BakeConfig)})
    if unknown:
        raise BakeError(f"bake setting: unknown {', '.join(unknown)}")
    return replace(PRESETS[name], **changes)

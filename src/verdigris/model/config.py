"""What a neural material is made of, as frozen data. Sources: [P] Zeltner et al. 2024, [T] Bitterli et al. 2026."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FEATURE_WIDTHS = {
    "wi": 3,
    "wo": 3,
    "half": 3,
    "difference": 3,
    "turned_half": 3,
    "turned_difference": 3,
    "cosines": 2,
    "log_half": 1,
}
"""Numbers a learned frame contributes to the decoder's input, by feature name.

`wi`, `wo`: the direction dotted with the frame's t, b, n [P].
`half`: the unit half vector of these two [T].
`difference`: `wi` turned by the shortest arc that takes that half vector to (0, 0, 1) [T].
`turned_half`, `turned_difference`: the unit half vector, and `wi` turned by the shortest arc that takes it to
(0, 0, 1), both in the surface's own frame, then dotted with the frame's t, b, n: as [T]'s program computes them.
`cosines`: the last numbers of `wi` and of `wo`, alone [T].
`log_half`: (log(|h - n|^2 + 1e-6) + 6) / 6 with h the unit half vector and n the frame's normal. Our own: a GGX lobe is
piecewise almost linear in it, whatever its width.
"""

Activation = Literal["relu", "leaky_relu", "leaky_smelu"]
Output = Literal["exp", "sigmoid"]
ACTIVATIONS = ("relu", "leaky_relu", "leaky_smelu")
OUTPUTS = ("exp", "sigmoid")
SAMPLER_WIDTH_MAX, SAMPLER_LOBES_MAX, DEFENSIVE_MAX = 256, 4, 0.5


@dataclass(frozen=True)
class DecoderConfig:
    """The network from (directions in the learned frames, latent) to the response.

    Input order: for each frame, for each feature in `features` order, its numbers; then the latent.
    Hidden layers are affine + activation (formulas: `model/decoder.py`), the last is affine with 3 outputs.
    output: `exp` answers exp(raw - 3) [P], `sigmoid` 1e5 / (1 + exp(-raw)) [T].
    cosine: whether the answer already is the BSDF times the cosine of wo [P]; else it is multiplied by it.
    """

    hidden: tuple[int, ...] = (32, 32)
    activation: Activation = "relu"
    features: tuple[str, ...] = ("wi", "wo", "log_half")
    output: Output = "exp"
    cosine: bool = True

    def __post_init__(self) -> None:
        if not self.hidden or any(not 1 <= n <= 1024 for n in self.hidden):
            raise ValueError(f"decoder.hidden: expected 1 or more widths from 1 to 1024, got {self.hidden}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"decoder.activation: expected one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")
        if self.output not in OUTPUTS:
            raise ValueError(f"decoder.output: expected one of {', '.join(OUTPUTS)}, got {self.output!r}")
        if not isinstance(self.cosine, bool):
            raise ValueError(f"decoder.cosine: expected true or false, got {self.cosine!r}")
        unknown = [name for name in self.features if name not in FEATURE_WIDTHS]
        if unknown or not self.features or len(set(self.features)) != len(self.features):
            raise ValueError(
                f"decoder.features: expected distinct names of {sorted(FEATURE_WIDTHS)}, got {self.features}"
            )


@dataclass(frozen=True)
class SamplerConfig:
    """The network from (wi in the learned frames, latent) to the lobes that directions are drawn from.

    hidden: widths of its hidden layers. lobes: GGX lobes beside the tilted cosine lobe; lobe k lies about the normal of
    the learned frame of that number, modulo the frames. defensive: share of the directions that are uniform over the
    hemisphere, which bounds the weight of a sample by 2 pi / `defensive` times the response. Formulas:
    `model/sampler.py`.
    """

    hidden: tuple[int, ...] = (32, 32)
    lobes: int = 2
    defensive: float = 0.015

    def __post_init__(self) -> None:
        if not self.hidden or any(not 1 <= n <= SAMPLER_WIDTH_MAX for n in self.hidden):
            raise ValueError(
                f"sampler.hidden: expected 1 or more widths from 1 to {SAMPLER_WIDTH_MAX}, got {self.hidden}"
            )
        if not 1 <= self.lobes <= SAMPLER_LOBES_MAX:
            raise ValueError(f"sampler.lobes: expected 1 to {SAMPLER_LOBES_MAX}, got {self.lobes}")
        if not 0 <= self.defensive <= DEFENSIVE_MAX:
            raise ValueError(f"sampler.defensive: expected 0 to {DEFENSIVE_MAX}, got {self.defensive}")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a neural material: latent channels, learned frames, decoder, sampler."""

    channels: int = 8
    frames: int = 2
    decoder: DecoderConfig = DecoderConfig()
    sampler: SamplerConfig = SamplerConfig()

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= 64:
            raise ValueError(f"channels: expected 1 to 64, got {self.channels}")
        if not 0 <= self.frames <= 4:
            raise ValueError(f"frames: expected 0 to 4, got {self.frames}")

    @property
    def decoder_inputs(self) -> int:
        """Width of the decoder's input."""
        return max(self.frames, 1) * sum(FEATURE_WIDTHS[f] for f in self.decoder.features) + self.channels

    @property
    def sampler_widths(self) -> tuple[int, ...]:
        """Widths of the sampler's layers: wi in each frame and the latent; the hidden ones; the raw numbers, 5 a GGX
        lobe, 2 of the cosine lobe and a logit for each of them."""
        return (3 * max(self.frames, 1) + self.channels, *self.sampler.hidden, 6 * self.sampler.lobes + 3)

"""What of a material maps to NVIDIA's `neuralappearance`, and how: orders of weights, names, and what is refused.

Both sides compute the same where this module lets a material through; docs/interchange.md lists the rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verdigris.errors import ExportError
from verdigris.model.auxiliary import Layers
from verdigris.model.config import FEATURE_WIDTHS, DecoderConfig, ModelConfig

DIRECTIONS = {
    "WiWo": ("wi", "wo"),
    "WhWd": ("turned_half", "turned_difference"),
    "WhWdZiZo": ("turned_half", "turned_difference", "cosines"),
    "WhWdWiWo": ("turned_half", "turned_difference", "wi", "wo"),
}
"""Their inputs of directions as our features, in the order of the blocks."""

SAME_WITHOUT_FRAMES = {"half": "turned_half", "difference": "turned_difference"}
"""Features that are made in the frame, and equal those turned into it where it is the surface's own."""

ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "leaky_smelu": "SmeLU"}
OUTPUTS = {"exp": "Exp", "sigmoid": "ScaledSigmoid"}


def turned(features: Sequence[str], frames: int) -> tuple[str, ...]:
    """Our features by the names of `DIRECTIONS`, where they have one."""
    return tuple(features if frames else (SAME_WITHOUT_FRAMES.get(name, name) for name in features))


def directions_of(config: ModelConfig) -> str:
    """Their name of a decoder's inputs. Raises ExportError where they have no such inputs."""
    features = set(turned(config.decoder.features, config.frames))
    for name, ours in DIRECTIONS.items():
        if set(ours) == features:
            return name
    known = "; ".join(", ".join(ours) for ours in DIRECTIONS.values())
    raise ExportError(f"decoder.features: expected {known}, got {', '.join(config.decoder.features)}")


def columns(config: ModelConfig) -> np.ndarray:
    """For each of their inputs of directions, ours that it is, `[inputs]`.

    Ours: frame by frame, feature by feature. Theirs: feature by feature, frame by frame; `cosines` are two features.
    """
    place, at = {}, 0
    for frame in range(max(config.frames, 1)):
        for feature in turned(config.decoder.features, config.frames):
            width = FEATURE_WIDTHS[feature]
            place[feature, frame] = list(range(at, at + width))
            at += width
    order = []
    for feature in DIRECTIONS[directions_of(config)]:
        runs = [place[feature, frame] for frame in range(max(config.frames, 1))]
        # Their z of wi in all frames, then that of wo.
        order += [run[k] for k in range(2) for run in runs] if feature == "cosines" else sum(runs, [])
    return np.array(order, int)


def decoder_out(config: ModelConfig, layers: Layers) -> Layers:
    """Our decoder's layers in their order. `exp` of theirs lacks our shift by 3, which goes into the last bias."""
    (weight, bias), *rest = layers
    order = np.concatenate([columns(config), np.arange(weight.shape[1] - config.channels, weight.shape[1])])
    return _shifted(config.decoder, ((weight[:, order], bias), *rest), -3.0)


def decoder_in(config: ModelConfig, layers: Layers) -> Layers:
    """The reverse of `decoder_out`."""
    (weight, bias), *rest = _shifted(config.decoder, layers, 3.0)
    order = np.concatenate([columns(config), np.arange(weight.shape[1] - config.channels, weight.shape[1])])
    ours = np.empty_like(weight)
    ours[:, order] = weight
    return ((ours, bias), *rest)


def _shifted(config: DecoderConfig, layers: Layers, shift: float) -> Layers:
    if config.output != "exp":
        return layers
    weight, bias = layers[-1]
    return (*layers[:-1], (weight, bias.astype(np.float64) + shift))


def frame_rows(frames: int) -> np.ndarray:
    """For each row of their frame layer, ours that it is: all normals, then all tangents; ours frame by frame."""
    ours = np.arange(6 * frames).reshape(frames, 2, 3)
    return ours.transpose(1, 0, 2).reshape(-1)


def maps_sampler(config: ModelConfig) -> bool:
    """Whether their sampler can be ours: it sees wi outside of any frame, and has no uniform share."""
    return config.frames == 0 and config.sampler.defensive == 0


def sampler_rows(lobes: int) -> np.ndarray:
    """For each of their sampler's outputs, ours that it is: their last logit is the cosine lobe's, ours the first."""
    ends = 5 * lobes + 2
    return np.array([*range(ends), *range(ends + 1, ends + 1 + lobes), ends], int)

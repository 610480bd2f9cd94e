"""Auxiliary heads: small networks beside the decoder, from the same latent to what renderers ask for besides light.

albedo: directional albedo, the share of a white hemisphere's light that goes to wi. guides: what denoisers want, an
albedo that does not depend on the view, a shading normal and a roughness. emission: radiance along the normal. opacity:
share of the surface that is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Activation, ModelConfig
from verdigris.model.decoder import network
from verdigris.model.features import in_frames
from verdigris.model.frames import normalize

HEADS = {"albedo": 3, "guides": 7, "emission": 3, "opacity": 1}
"""Outputs of each head, in the order in which files hold them."""

DIRECTIONAL = frozenset({"albedo"})
"""Heads that also see wi, in the learned frames; all others see the latent alone."""

ACTIVATION: Activation = "leaky_relu"
"""Between the layers of every head: units of a network this small must not die."""

HIDDEN_MAX, HIDDEN_LAYERS_MAX = 256, 4

Layers = tuple[tuple[Array, Array], ...]


@dataclass(frozen=True, eq=False)
class Auxiliary:
    """The heads of a material. hidden: widths of their hidden layers, the same for all.

    heads: by name, a subset of `HEADS`, each (weight `[out, in]`, bias `[out]`) in order.
    """

    hidden: tuple[int, ...]
    heads: Mapping[str, Layers]

    def __post_init__(self) -> None:
        check_hidden(self.hidden)
        unknown = [name for name in self.heads if name not in HEADS]
        if unknown or not self.heads:
            raise ValueError(f"auxiliary.heads: expected 1 or more of {', '.join(HEADS)}, got {tuple(self.heads)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The heads that there are, in the order of `HEADS`."""
        return tuple(name for name in HEADS if name in self.heads)

    def check(self, config: ModelConfig, dtype: np.dtype[Any]) -> None:
        """Raises ValueError, naming the array, where one does not fit a material's configuration and dtype."""
        for name in self.names:
            check_layers(f"auxiliary.{name}", self.heads[name], head_widths(name, config, self.hidden), dtype)

    def answer(self, name: str, latent: Array, frames: Array, wi: Array | None = None) -> Array:
        """A head's answer, `[n, C], [n, F, 3, 3], [n, 3] -> [n, outputs]`; wi only for directional heads.

        Raises ValueError where the material has no such head.
        """
        if name not in self.heads:
            raise ValueError(f"auxiliary: expected a head {name!r}, got a material with {', '.join(self.names)}")
        x = latent
        if name in DIRECTIONAL:
            assert wi is not None
            x = np.concatenate([in_frames(frames, wi).reshape(len(latent), -1), latent], axis=1)
        return respond(name, network(self.heads[name], ACTIVATION, x))


def check_layers(name: str, layers: Layers, widths: Sequence[int], dtype: np.dtype[Any]) -> None:
    """Raises ValueError, naming the array, where layers of a network are not of these widths, its input first."""
    if len(layers) != len(widths) - 1:
        raise ValueError(f"{name}.layers: expected {len(widths) - 1} layers, got {len(layers)}")
    for index, (weight, bias) in enumerate(layers):
        shapes = (widths[index + 1], widths[index]), (widths[index + 1],)
        for kind, array, shape in zip(("weight", "bias"), (weight, bias), shapes, strict=True):
            if array.shape != shape or array.dtype != dtype:
                raise ValueError(
                    f"{name}.layers.{index}.{kind}: expected {dtype} of shape {shape}, "
                    f"got {array.dtype} of shape {array.shape}"
                )


def check_hidden(hidden: Sequence[int]) -> None:
    """Raises ValueError where widths of hidden layers are out of range."""
    if not 1 <= len(hidden) <= HIDDEN_LAYERS_MAX or any(not 1 <= n <= HIDDEN_MAX for n in hidden):
        raise ValueError(
            f"auxiliary.hidden: expected 1 to {HIDDEN_LAYERS_MAX} widths from 1 to {HIDDEN_MAX}, got {tuple(hidden)}"
        )


def head_widths(name: str, config: ModelConfig, hidden: Sequence[int]) -> tuple[int, ...]:
    """Widths of a head's layers, its input first, its outputs last."""
    directions = 3 * max(config.frames, 1) if name in DIRECTIONAL else 0
    return (directions + config.channels, *hidden, HEADS[name])


def sigmoid(raw: Array) -> Array:
    """1 / (1 + exp(-raw)), elementwise, from exp(-|raw|), which cannot overflow."""
    decay = np.exp(-np.abs(raw))
    return np.where(raw >= 0, 1, decay) / (1 + decay)


def respond(name: str, raw: Array) -> Array:
    """A head's answer from its last layer's numbers, `[n, outputs] -> [n, outputs]`.

    albedo, opacity: sigmoid(raw). emission: max(raw, 0)^2, which reaches 0, as most of a surface does. guides: sigmoid
    of numbers 0 to 2 (albedo) and of 6 (roughness, the square root of a GGX width), and
    normalize(numbers 3 to 5 + (0, 0, 1)), the normal.
    """
    if name == "emission":
        root = np.maximum(raw, 0)
        return root * root
    if name != "guides":
        return sigmoid(raw)
    normal = normalize(raw[:, 3:6] + np.asarray((0, 0, 1), dtype=raw.dtype))
    return np.concatenate([sigmoid(raw[:, :3]), normal, sigmoid(raw[:, 6:])], axis=1)

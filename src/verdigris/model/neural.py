"""NeuralMaterial: the plain NumPy forward. Every other version of the model is tested against this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.model import sampler as mixtures
from verdigris.model.auxiliary import HEADS, Auxiliary, check_layers
from verdigris.model.config import ModelConfig
from verdigris.model.decoder import decode
from verdigris.model.far import Far
from verdigris.model.features import decoder_input
from verdigris.model.frames import shading_frames
from verdigris.model.grid import Grid, check_grids
from verdigris.model.latents import Indices, choose_level, fetch_pyramid

CHUNK = 1 << 16
"""Queries evaluated at once: bounds the memory of a call at some tens of MB, whatever its length."""


@dataclass(frozen=True)
class Metadata:
    """What an asset says about itself, as plain JSON values.

    source: uri, material, sha256. bake: the settings of the bake. report: the measured quality.
    """

    name: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    bake: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class NeuralMaterial:
    """A baked material: latent pyramid, learned frames, decoder, sampler.

    latents: level k is `[H_k, W_k, C]` (layout: `model/latents.py`). frame_weight: `[frames * 6, C]`, None without
    learned frames. layers, sampler: of the decoder and of the sampler, (weight `[out, in]`, bias `[out]`), hidden ones
    first. auxiliary: heads beside the decoder, None without any.
    All arrays share one floating dtype, in which everything is computed; float32 but in tests.
    grids: how a file stores the latents: as codes on one grid a level, or, where there are none, as float16.
    far: the decoder's layers at coarse levels, None where it is the same at all.

    Raises ValueError, naming the field, where shapes or dtypes do not fit the configuration.
    """

    config: ModelConfig
    latents: tuple[Array, ...]
    frame_weight: Array | None
    layers: tuple[tuple[Array, Array], ...]
    sampler: tuple[tuple[Array, Array], ...]
    metadata: Metadata = Metadata()
    auxiliary: Auxiliary | None = None
    grids: tuple[Grid, ...] = ()
    far: Far | None = None

    def __post_init__(self) -> None:
        _check_latents(self)
        check_grids(self.grids, self.latents)
        _check_networks(self)
        if self.auxiliary is not None:
            self.auxiliary.check(self.config, self.dtype)
        if self.far is not None:
            self.far.check(self.config, len(self.latents), self.dtype)

    @property
    def latent_bits(self) -> int:
        """Bits of a stored latent: 16, 8 or 4."""
        return self.grids[0].bits if self.grids else 16

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all arrays, and of all results."""
        return self.latents[0].dtype

    def eval(self, uv: Array, wi: Array, wo: Array, level: float | Array = 0, seed: int = 0) -> Array:
        """Response times the cosine of wo, `[n, 2], [n, 3], [n, 3] -> [n, 3]` linear RGB; 0 below the horizon.

        level: scalar or `[n]`; a fractional one is chosen at random between its neighbours, by `seed`.
        """
        uv, wi, wo = self._cast(uv=(uv, 2), wi=(wi, 3), wo=(wo, 3))
        levels = choose_level(level, len(self.latents), len(uv), seed)
        result = np.empty((len(uv), 3), dtype=self.dtype)
        for part in _chunks(len(uv)):
            latent, frames = self._shading(uv[part], levels[part])
            result[part] = self._response(latent, frames, wi[part], wo[part], levels[part])
        return result

    def pdf(self, uv: Array, wi: Array, wo: Array, level: float | Array = 0, seed: int = 0) -> Array:
        """Density of `sample` per solid angle, `[n, 2], [n, 3], [n, 3] -> [n]`; 0 below the horizon."""
        uv, wi, wo = self._cast(uv=(uv, 2), wi=(wi, 3), wo=(wo, 3))
        levels = choose_level(level, len(self.latents), len(uv), seed)
        result = np.empty(len(uv), dtype=self.dtype)
        for part in _chunks(len(uv)):
            lobes = self._lobes(*self._shading(uv[part], levels[part]), wi[part])
            result[part] = mixtures.pdf(self.config.sampler, lobes, wi[part], wo[part])
        return result

    def sample(
        self, uv: Array, wi: Array, u: Array, level: float | Array = 0, seed: int = 0
    ) -> tuple[Array, Array, Array]:
        """A direction for each query: (wo `[n, 3]`, pdf `[n]`, weight `[n, 3]` = eval / pdf).

        u: `[n, 3]` uniform in [0, 1). pdf 0 (and weight 0) marks a null sample.
        """
        uv, wi, u = self._cast(uv=(uv, 2), wi=(wi, 3), u=(u, 3))
        levels = choose_level(level, len(self.latents), len(uv), seed)
        wo, pdf, weight = np.empty_like(wi), np.empty(len(uv), dtype=self.dtype), np.empty_like(wi)
        for part in _chunks(len(uv)):
            latent, frames = self._shading(uv[part], levels[part])
            lobes = self._lobes(latent, frames, wi[part])
            wo[part], pdf[part] = mixtures.sample(self.config.sampler, lobes, wi[part], u[part])
            response = self._response(latent, frames, wi[part], wo[part], levels[part])
            density = pdf[part, None]
            weight[part] = np.where(density > 0, response / np.where(density > 0, density, 1), 0)
        return wo, pdf, weight

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the auxiliary heads that there are, out of `model.auxiliary.HEADS`."""
        return () if self.auxiliary is None else self.auxiliary.names

    def albedo(self, uv: Array, wi: Array, level: float | Array = 0, seed: int = 0) -> Array:
        """Directional albedo, `[n, 2], [n, 3] -> [n, 3]` in 0..1; 0 where wi is below the horizon.

        Raises ValueError where the material has no such head.
        """
        uv, wi = self._cast(uv=(uv, 2), wi=(wi, 3))
        return np.where(wi[:, 2:] > 0, self._head("albedo", uv, wi, level, seed), 0)

    def guides(self, uv: Array, level: float | Array = 0, seed: int = 0) -> tuple[Array, Array, Array]:
        """For denoisers: albedo `[n, 3]` in 0..1, unit normal `[n, 3]`, roughness `[n]` in 0..1, of uv `[n, 2]`.

        Raises ValueError where the material has no such head.
        """
        found = self._head("guides", self._cast(uv=(uv, 2))[0], None, level, seed)
        return found[:, :3], found[:, 3:6], found[:, 6]

    def emission(self, uv: Array, level: float | Array = 0, seed: int = 0) -> Array:
        """Radiance emitted along the normal, `[n, 2] -> [n, 3]`; 0 without a head of that name."""
        (uv,) = self._cast(uv=(uv, 2))
        if "emission" not in self.heads:
            return np.zeros((len(uv), 3), self.dtype)
        return self._head("emission", uv, None, level, seed)

    def opacity(self, uv: Array, level: float | Array = 0, seed: int = 0) -> Array:
        """Share of the surface that is there, `[n, 2] -> [n]` in 0..1; 1 without a head of that name."""
        (uv,) = self._cast(uv=(uv, 2))
        if "opacity" not in self.heads:
            return np.ones(len(uv), self.dtype)
        return self._head("opacity", uv, None, level, seed)[:, 0]

    def _head(self, name: str, uv: Array, wi: Array | None, level: float | Array, seed: int) -> Array:
        if self.auxiliary is None:
            raise ValueError(f"auxiliary: expected a head {name!r}, got a material without any")
        levels = choose_level(level, len(self.latents), len(uv), seed)
        result = np.empty((len(uv), HEADS[name]), dtype=self.dtype)
        for part in _chunks(len(uv)):
            latent, frames = self._shading(uv[part], levels[part])
            result[part] = self.auxiliary.answer(name, latent, frames, None if wi is None else wi[part])
        return result

    def _shading(self, uv: Array, levels: Indices) -> tuple[Array, Array]:
        """Latents `[n, C]` and frames `[n, F, 3, 3]` of queries."""
        latent = fetch_pyramid(self.latents, uv, levels)
        return latent, shading_frames(self.frame_weight, latent)

    def _lobes(self, latent: Array, frames: Array, wi: Array) -> mixtures.Mixture:
        return mixtures.predict(self.config.sampler, self.sampler, latent, frames, wi)

    def layers_at(self, level: int) -> tuple[tuple[Array, Array], ...]:
        """The decoder's layers at a level."""
        return self.layers if self.far is None or level < self.far.level else self.far.network(self.layers)

    def _decode(self, x: Array, levels: Indices) -> Array:
        """The decoder's answers to inputs `[n, inputs]`, `[n, 3]`."""
        config = self.config.decoder
        far = levels >= (len(self.latents) if self.far is None else self.far.level)
        if (far == far[0]).all():
            return decode(self.layers_at(int(levels[0])), config.activation, config.output, x)
        answer = np.empty((len(x), 3), dtype=self.dtype)
        for chosen, level in ((~far, 0), (far, len(self.latents) - 1)):
            answer[chosen] = decode(self.layers_at(level), config.activation, config.output, x[chosen])
        return answer

    def _response(self, latent: Array, frames: Array, wi: Array, wo: Array, levels: Indices) -> Array:
        config = self.config.decoder
        answer = self._decode(decoder_input(config, frames, wi, wo, latent), levels)
        above = (wi[:, 2] > 0) & (wo[:, 2] > 0)
        return np.where(above[:, None], answer if config.cosine else answer * wo[:, 2:], 0)

    def _cast(self, **arguments: tuple[Array, int]) -> list[Array]:
        """The arguments as `[n, width]` arrays of our dtype, all of one length."""
        arrays = {name: np.asarray(value, dtype=self.dtype) for name, (value, _) in arguments.items()}
        n = len(next(iter(arrays.values())))
        for name, array in arrays.items():
            width = arguments[name][1]
            if array.shape != (n, width):
                raise ValueError(f"{name}: expected shape ({n}, {width}), got {array.shape}")
        return list(arrays.values())


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, n, CHUNK))


def _check(name: str, array: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name}: expected {dtype} of shape {shape}, got {array.dtype} of shape {array.shape}")


def _check_latents(material: NeuralMaterial) -> None:
    if not material.latents:
        raise ValueError("latents: expected 1 or more levels, got none")
    if material.dtype.kind != "f":
        raise ValueError(f"latents.0: expected a floating dtype, got {material.dtype}")
    for index, level in enumerate(material.latents):
        if level.ndim != 3 or 0 in level.shape:
            raise ValueError(f"latents.{index}: expected shape (H, W, channels), got {level.shape}")
        _check(f"latents.{index}", level, (*level.shape[:2], material.config.channels), material.dtype)


def _check_networks(material: NeuralMaterial) -> None:
    config, dtype = material.config, material.dtype
    if (material.frame_weight is None) != (config.frames == 0):
        got = "none" if material.frame_weight is None else "one"
        raise ValueError(f"frames.weight: expected {'none' if config.frames == 0 else 'one'}, got {got}")
    if material.frame_weight is not None:
        _check("frames.weight", material.frame_weight, (config.frames * 6, config.channels), dtype)
    networks = {
        "decoder": (material.layers, (config.decoder_inputs, *config.decoder.hidden, 3)),
        "sampler": (material.sampler, config.sampler_widths),
    }
    for name, (layers, sizes) in networks.items():
        check_layers(name, layers, sizes, dtype)

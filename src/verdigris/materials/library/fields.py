"""Tileable fields that look the same at every resolution: the ground that the deep materials are drawn on.

A field is `[n, n]` float32 with row 0 at v = 0 and column 0 at u = 0. Its spectrum is drawn on a fixed grid of whole
frequencies (cycles per tile), so the same seed gives the same picture on a finer canvas. Lengths are in units of
1/1024 of a tile ("points"), whatever the canvas.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from verdigris.conventions import Array
from verdigris.materials.library.noise import smoothstep

Field = Array

POINTS = 1024
"""Points a tile; a canvas has at least as many texels, or the finest fields would alias."""

_MODES = 384
"""Highest frequency of a field. Structures end near 150 cycles, a half period of three and a half points."""


@dataclass(frozen=True)
class Canvas:
    """A repeating square of `size` texels a side. Each named field draws random numbers of its own from `seed`."""

    size: int
    seed: int

    def __post_init__(self) -> None:
        assert self.size >= POINTS, self.size

    @property
    def point(self) -> float:
        """Texels a point."""
        return self.size / POINTS

    def rng(self, name: str) -> np.random.Generator:
        """The random numbers of one field: drawing another field more or less does not change them."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def uv(self) -> tuple[Array, Array]:
        """Texel centres `(u [1, n], v [n, 1])`, float32."""
        axis = ((np.arange(self.size) + 0.5) / self.size).astype(np.float32)
        return axis[None, :], axis[:, None]

    def fractal(self, name: str, low: float, high: float, slope: float) -> Field:
        """Noise of variance 1 whose amplitude falls as |f|^-slope from `low` to `high` cycles per tile."""
        fu, fv = _grid()
        log = np.log2(np.maximum(np.hypot(fu, fv), 0.5))
        below = np.exp(-(np.maximum(np.log2(low) - log, 0.0) ** 2) / 0.15)
        above = np.exp(-(np.maximum(log - np.log2(high), 0.0) ** 2) / 0.15)
        return self._noise(name, 2.0 ** (-slope * log) * below * above)

    def streaks(self, name: str, low: float, high: float, angle: float, length: float) -> Field:
        """Noise of variance 1 brushed along the direction `angle` (radians from +u).

        low, high: frequencies across the strokes. length: of a stroke in tiles.
        """
        fu, fv = _grid()
        along = fu * np.cos(angle) + fv * np.sin(angle)
        across = np.abs(fv * np.cos(angle) - fu * np.sin(angle))
        log = np.log2(np.maximum(across, 0.5))
        band = np.exp(-((np.maximum(np.log2(low) - log, 0) + np.maximum(log - np.log2(high), 0)) ** 2) / 0.15)
        return self._noise(name, band * np.exp(-((along * length) ** 2)) / np.sqrt(np.maximum(across, 1.0)))

    def _noise(self, name: str, amplitude: Array) -> Field:
        """A field of the spectral amplitude `[2 M, M + 1]` with random phases, mean 0, variance 1."""
        phase = self.rng(name).random(amplitude.shape)
        modes = (amplitude * np.exp(2j * np.pi * phase)).astype(np.complex64)
        modes[0, 0] = 0
        spectrum = np.zeros((self.size, self.size // 2 + 1), np.complex64)
        spectrum[:_MODES, : _MODES + 1] = modes[:_MODES]
        spectrum[-_MODES:, : _MODES + 1] = modes[_MODES:]
        field = np.fft.irfft2(spectrum, s=(self.size, self.size))
        return (field / field.std()).astype(np.float32)

    def blur(self, field: Field, sigma: float) -> Field:
        """The field convolved with a Gaussian of that standard deviation in points, around the seam."""
        sigma = sigma / POINTS
        fv = np.fft.fftfreq(self.size, 1.0 / self.size)[:, None]
        fu = np.fft.rfftfreq(self.size, 1.0 / self.size)[None, :]
        gains = [np.exp(-2.0 * (np.pi * sigma * f) ** 2).astype(np.float32) for f in (fu, fv)]
        return np.fft.irfft2(np.fft.rfft2(field) * gains[0] * gains[1], s=field.shape).astype(np.float32)

    def warp(self, field: Field, du: Field, dv: Field) -> Field:
        """The field read at a place shifted by `(du, dv)` points, bilinearly."""
        rows, columns = np.indices(field.shape, dtype=np.float32)
        x, y = columns + du * self.point, rows + dv * self.point
        x0, y0 = np.floor(x), np.floor(y)
        fx, fy = x - x0, y - y0
        left, bottom = x0.astype(np.int64) % self.size, y0.astype(np.int64) % self.size
        right, top = (left + 1) % self.size, (bottom + 1) % self.size
        lower = field[bottom, left] * (1 - fx) + field[bottom, right] * fx
        upper = field[top, left] * (1 - fx) + field[top, right] * fx
        return (lower * (1 - fy) + upper * fy).astype(np.float32)

    def normals(self, height: Field) -> Array:
        """Unit normals `[n, n, 3]` of a height in points, by central differences around the seam."""
        du, dv = (0.5 * self.point * (np.roll(height, -1, axis) - np.roll(height, 1, axis)) for axis in (1, 0))
        raw = np.stack([-du, -dv, np.ones_like(du)], axis=-1)
        return (raw / np.linalg.norm(raw, axis=-1, keepdims=True)).astype(np.float32)

    def cavities(self, height: Field, sigma: float) -> Field:
        """How far a place lies below its surroundings of `sigma` points, in standard deviations: where dirt stays."""
        depth = self.blur(height, sigma) - self.blur(height, 1.5)
        return depth / depth.std()


def _grid() -> tuple[Array, Array]:
    """Frequencies `(fu [1, M + 1], fv [2 M, 1])` of the half spectrum that fields are drawn on."""
    return np.arange(_MODES + 1.0)[None, :], np.fft.fftfreq(2 * _MODES, 1 / (2 * _MODES))[:, None]


def cover(field: Field, fraction: float, softness: float) -> Field:
    """A mask of the highest `fraction` of a field, with borders `softness` wide in units of the field."""
    # Every eighth row and column tells the quantile well enough, and alike on every canvas.
    edge = float(np.quantile(field[::8, ::8], 1.0 - fraction))
    return smoothstep(edge - 0.5 * softness, edge + 0.5 * softness, field).astype(np.float32)


def ramp(position: Field, *stops: tuple[float, tuple[float, float, float]]) -> Array:
    """Linear colours `[n, n, 3]` along a piecewise linear ramp of (position, linear RGB) stops."""
    where = [stop for stop, _ in stops]
    channels = [np.interp(position, where, [rgb[c] for _, rgb in stops]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def pack(*channels: Field) -> Array:
    """Three fields as the channels of one image, each cut to 0..1."""
    return np.clip(np.stack(channels, axis=-1), 0.0, 1.0).astype(np.float32)


def resample(image: Array, size: int) -> Array:
    """A repeating image `[n, n]` or `[n, n, c]` with another side, float32, without a seam.

    The filter is bicubic and as wide as the coarser texel, so a smaller image holds averages.
    """
    side = image.shape[0]
    pad = 8 * max(1, -(-side // size))
    box = (pad, pad, pad + side, pad + side)
    layers = []
    for channel in np.moveaxis(np.atleast_3d(image), -1, 0):
        padded = Image.fromarray(np.pad(channel.astype(np.float32), pad, mode="wrap"))
        layers.append(np.asarray(padded.resize((size, size), Image.Resampling.BICUBIC, box=box)))
    return np.stack(layers, axis=-1) if image.ndim == 3 else layers[0]

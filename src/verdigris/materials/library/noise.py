"""Tileable, band-limited fields of the unit square, as building blocks of textures.

A field is `[n, n]` float64 with row 0 at v = 0 and column 0 at u = 0. Frequencies are in cycles per tile, so every
field repeats without a seam: its spectrum lives on whole frequencies only.
"""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array

Field = Array


def frequencies(size: int) -> tuple[Array, Array, Array]:
    """Whole frequencies `(fu, fv, |f|)` of the half spectrum of a field, each `[n, n // 2 + 1]`."""
    fv = np.fft.fftfreq(size, 1.0 / size)[:, None]
    fu = np.fft.rfftfreq(size, 1.0 / size)[None, :]
    return fu + 0 * fv, fv + 0 * fu, np.hypot(fu, fv)


def standardise(field: Field) -> Field:
    """The field shifted to mean 0 and scaled to variance 1."""
    field = field - field.mean()
    return field / field.std()


def from_amplitude(amplitude: Array, rng: np.random.Generator) -> Field:
    """A field with the given spectral amplitude `[n, n // 2 + 1]` and random phases, of mean 0 and variance 1."""
    phase = rng.random(amplitude.shape)
    spectrum = amplitude * np.exp(2j * np.pi * phase)
    spectrum[0, 0] = 0.0
    size = amplitude.shape[0]
    return standardise(np.fft.irfft2(spectrum, s=(size, size)))


def fractal(size: int, low: float, high: float, slope: float, rng: np.random.Generator) -> Field:
    """Noise whose amplitude falls as |f|^-slope between `low` and `high` cycles per tile, soft at both ends.

    The ends are soft (a Gaussian in log frequency) because a sharp cut rings.
    """
    _, _, radius = frequencies(size)
    log = np.log2(np.maximum(radius, 0.5))
    below = np.exp(-(np.maximum(np.log2(low) - log, 0.0) ** 2) / 0.15)
    above = np.exp(-(np.maximum(log - np.log2(high), 0.0) ** 2) / 0.15)
    return from_amplitude(np.maximum(radius, 0.5) ** -slope * below * above, rng)


def streaks(size: int, frequency: float, angle: float, spread: float, rng: np.random.Generator) -> Field:
    """Noise of long parallel strokes: a blob of the spectrum around one frequency and angle (both in radians)."""
    fu, fv, _ = frequencies(size)
    across = fu * np.cos(angle) + fv * np.sin(angle)
    along = -fu * np.sin(angle) + fv * np.cos(angle)
    band = np.exp(-(((np.abs(across) - frequency) / (0.3 * frequency)) ** 2))
    return from_amplitude(band * np.exp(-((along / (spread * frequency)) ** 2)), rng)


def blur(field: Field, sigma_texels: float) -> Field:
    """The field convolved with a Gaussian of that standard deviation, around the seam."""
    size = field.shape[0]
    _, _, radius = frequencies(size)
    gain = np.exp(-2.0 * (np.pi * sigma_texels * radius / size) ** 2)
    return np.fft.irfft2(np.fft.rfft2(field) * gain, s=field.shape)


def smoothstep(low: float, high: float, field: Field) -> Field:
    """The cubic ramp from 0 at `low` to 1 at `high`."""
    x = np.clip((field - low) / (high - low), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def slopes(height: Field) -> tuple[Field, Field]:
    """Derivatives `(dh/du, dh/dv)` of a height per texel, by the spectrum, so exact for a band-limited height."""
    fu, fv, _ = frequencies(height.shape[0])
    spectrum = np.fft.rfft2(height) * (2j * np.pi / height.shape[0])
    return np.fft.irfft2(spectrum * fu, s=height.shape), np.fft.irfft2(spectrum * fv, s=height.shape)


def normals(height: Field, slope_rms: float) -> Array:
    """Unit normals `[n, n, 3]` of a height scaled until its slope has that root mean square (tangent of an angle)."""
    du, dv = slopes(height)
    scale = slope_rms / np.sqrt(np.mean(du * du + dv * dv))
    raw = np.stack([-scale * du, -scale * dv, np.ones_like(du)], axis=-1)
    return raw / np.linalg.norm(raw, axis=-1, keepdims=True)

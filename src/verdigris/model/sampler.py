"""The neural sampler: from (wi, latent) to one tilted cosine lobe and non-centred anisotropic GGX lobes [P].

The GGX lobes are plain distributions of half-vector slopes, not of visible normals. Directions below the horizon, and
half vectors that face away from `wi`, are null samples: the density integrates to 1 minus their share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Activation, SamplerConfig
from verdigris.model.decoder import network
from verdigris.model.features import in_frames
from verdigris.model.frames import cross, normalize

ACTIVATION: Activation = "leaky_relu"
"""Between the layers of the sampler's network: units of a network this small must not die."""

RAW_MAX = 100.0
"""The network's numbers are clipped to it: slopes up to 1e4, and no power of them leaves single precision."""

ALPHA_MIN = 1e-4
"""Narrowest GGX lobe [P]."""

NORMAL_Z_MIN = 0.05
"""Least z of a learned normal in its slope."""

HALF_Z_MIN = 1e-6
"""Least z of wi + wo in a slope: two directions so close to the horizon must not overflow."""

BELOW_ONE = 1 - 2**-24
"""The largest uniform number of single precision; 1 itself would be a slope without end."""


class Mixture(NamedTuple):
    """The lobes of each query, L of them GGX lobes.

    share: probabilities `[n, 1 + L]`, the cosine lobe's first; what they lack of 1 is drawn uniformly. axis: of the
    cosine lobe, `[n, 3]`. alpha_x, alpha_y, rho, root: widths, correlation and sqrt(1 - rho^2), `[n, L]`.
    offset_x, offset_y: slopes, `[n, L]`.
    """

    share: Array
    axis: Array
    alpha_x: Array
    alpha_y: Array
    rho: Array
    root: Array
    offset_x: Array
    offset_y: Array


def predict(
    config: SamplerConfig, layers: Sequence[tuple[Array, Array]], latent: Array, frames: Array, wi: Array
) -> Mixture:
    """The mixture for known directions, `[n, C], [n, F, 3, 3], [n, 3]`.

    The network sees wi in every frame, then the latent.
    """
    x = np.concatenate([in_frames(frames, wi).reshape(len(latent), -1), latent], axis=1)
    return mixture(config, network(layers, ACTIVATION, x), frames[:, :, 2])


def mixture(config: SamplerConfig, raw: Array, normals: Array) -> Mixture:
    """The mixture from the network's last numbers, `[n, 6 L + 3], [n, F, 3]`.

    With s(x) = sqrt(1 + x^2): a GGX lobe's five numbers give alpha_x and alpha_y as 1e-4 + (1 + x / s) / 2, rho as
    x / s, and two offsets x s, to which the slopes of its frame's normal are added; the two after them the cosine
    lobe's axis normalize(-x s, -y s, 1); the rest, by a softmax, the shares, the cosine lobe's first [P]. That offsets
    start from a learned normal is our own.
    """
    count, real = config.lobes, raw.dtype.type
    raw = np.clip(raw, -real(RAW_MAX), real(RAW_MAX))
    s = np.sqrt(1 + raw * raw)
    lobes, widen = raw[:, : 5 * count].reshape(-1, count, 5), s[:, : 5 * count].reshape(-1, count, 5)
    alpha = real(ALPHA_MIN) + _rise(lobes[..., :2], widen[..., :2]) / 2
    normal = normals[:, np.arange(count) % normals.shape[1]]
    offset = lobes[..., 3:] * widen[..., 3:] - normal[..., :2] / np.maximum(normal[..., 2:], real(NORMAL_Z_MIN))
    tilt = raw[:, 5 * count : 5 * count + 2] * s[:, 5 * count : 5 * count + 2]
    axis = normalize(np.concatenate([-tilt, np.ones_like(tilt[:, :1])], axis=1))
    logits = raw[:, 5 * count + 2 :]
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    share = weight * (real(1 - config.defensive) / weight.sum(axis=1, keepdims=True))
    rho, root = lobes[..., 2] / widen[..., 2], 1 / widen[..., 2]
    return Mixture(share, axis, alpha[..., 0], alpha[..., 1], rho, root, offset[..., 0], offset[..., 1])


def _rise(x: Array, s: Array) -> Array:
    """1 + x / s with s = sqrt(1 + x^2), without cancellation where x is far below 0."""
    below = 1 / (s * (s + np.abs(x)))
    return np.where(x < 0, below, 2 - below)


def pdf(config: SamplerConfig, lobes: Mixture, wi: Array, wo: Array) -> Array:
    """Density of the mixture per solid angle, `[n, 3], [n, 3] -> [n]`; 0 where wi or wo is not above the horizon.

    Of a GGX lobe: the slopes of wi + wo, shifted and scaled back to the standard lobe, have the density
    1 / (pi (1 + x^2 + y^2)^2) / (alpha_x alpha_y root) there. With v = wi + wo, h.z^-3 turns a density of slopes into
    one of h, 1 / (4 wi . h) into one of wo: together |v|^2 / (2 v.z^3), since wi . h = |v| / 2.
    """
    real, v = wi.dtype.type, wi + wo
    z = np.maximum(v[:, 2], real(HALF_Z_MIN))
    x = (-(v[:, 0] / z)[:, None] - lobes.offset_x) / lobes.alpha_x
    y = ((-(v[:, 1] / z)[:, None] - lobes.offset_y) / lobes.alpha_y - lobes.rho * x) / lobes.root
    # The slopes of a lobe far away overflow to an infinite radius, whose density is the 0 that it should be.
    with np.errstate(over="ignore"):
        radius = 1 + x * x + y * y
        slopes = 1 / (radius * radius * (lobes.alpha_x * lobes.alpha_y * lobes.root))
    ggx = (lobes.share[:, 1:] * slopes).sum(axis=1) * ((v * v).sum(axis=1) / (2 * z * z * z))
    cosine = lobes.share[:, 0] * np.maximum((wo * lobes.axis).sum(axis=1), 0)
    total = (cosine + ggx + real(config.defensive / 2)) / real(np.pi)
    return np.where((wi[:, 2] > 0) & (wo[:, 2] > 0), total, 0)


def basis(axis: Array) -> tuple[Array, Array]:
    """Two unit vectors that complete a unit axis to a right-handed basis (Duff et al. 2017), `[n, 3] -> 2 x [n, 3]`."""
    x, y, z = axis[:, 0], axis[:, 1], axis[:, 2]
    sign = np.copysign(np.ones_like(z), z)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], axis=-1)
    return first, cross(axis, first)


def sample(config: SamplerConfig, lobes: Mixture, wi: Array, u: Array) -> tuple[Array, Array]:
    """Directions and the mixture's density there, `[n, 3], [n, 3] -> [n, 3], [n]`.

    u: uniform in [0, 1); column 0 picks by cumulative share, the uniform hemisphere first, then the lobes in their
    order; columns 1 and 2 give the direction. Density 0 marks a null sample, whose direction means nothing.
    """
    edges = config.defensive + np.cumsum(lobes.share, axis=1)[:, :-1]
    picked = (u[:, :1] >= edges).sum(axis=1) + (u[:, 0] >= config.defensive)
    wo, valid = np.empty_like(wi), np.ones(len(wi), dtype=bool)
    for index in range(2 + edges.shape[1]):
        rows = np.flatnonzero(picked == index)
        if index < 2:
            axis = lobes.axis[rows] if index else np.broadcast_to(np.asarray((0, 0, 1), wi.dtype), (len(rows), 3))
            wo[rows] = _around(axis, np.sqrt(1 - u[rows, 1]) if index else 1 - u[rows, 1], u[rows, 2])
        else:
            h = _half(Mixture(*(part[rows] for part in lobes)), index - 2, u[rows, 1:])
            wi_h = (wi[rows] * h).sum(axis=1)
            wo[rows], valid[rows] = normalize(2 * wi_h[:, None] * h - wi[rows]), wi_h > 0
    return wo, np.where(valid, pdf(config, lobes, wi, wo), 0)


def _around(axis: Array, cos: Array, turn: Array) -> Array:
    """Directions at an angle of cosine `cos` `[n]` to an axis, `turn` `[n]` of a turn around it."""
    sin, phi = np.sqrt(np.maximum(1 - cos * cos, 0)), turn * turn.dtype.type(2 * np.pi)
    first, second = basis(axis)
    return normalize(first * (sin * np.cos(phi))[:, None] + second * (sin * np.sin(phi))[:, None] + axis * cos[:, None])


def _half(lobes: Mixture, index: int, u: Array) -> Array:
    """Half vectors of a GGX lobe from two uniform numbers, `[n, 2] -> [n, 3]`: those of a standard lobe, slopes of
    radius sqrt(u / (1 - u)), scaled, correlated and shifted."""
    below = np.minimum(u[:, 0], u.dtype.type(BELOW_ONE))
    radius, phi = np.sqrt(below / (1 - below)), u[:, 1] * u.dtype.type(2 * np.pi)
    x, y = radius * np.cos(phi), radius * np.sin(phi)
    slope_x = lobes.alpha_x[:, index] * x + lobes.offset_x[:, index]
    slope_y = lobes.alpha_y[:, index] * (lobes.rho[:, index] * x + lobes.root[:, index] * y) + lobes.offset_y[:, index]
    return normalize(np.stack([-slope_x, -slope_y, np.ones_like(x)], axis=1))

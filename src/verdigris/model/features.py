"""What the decoder sees: the directions in the learned frames, then the latent."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array, half_vector
from verdigris.model.config import DecoderConfig
from verdigris.model.frames import normalize

LOG_HALF_FLOOR = 1e-6
"""Added to |h - n|^2: a lobe of width 2.5e-3, our narrowest, is resolved, and the logarithm stays finite."""

ARC_DIVISOR_MIN = 0.01
"""Least divisor of the shortest arc. It only counts where h points almost against n, and keeps `difference` continuous
there: without it the vector would jump from one side of h = -n to the other."""


def in_frames(frames: Array, direction: Array) -> Array:
    """A direction dotted with t, b, n of each frame, `[n, F, 3, 3], [n, 3] -> [n, F, 3]`."""
    d = direction[:, None, None, :]
    return frames[..., 0] * d[..., 0] + frames[..., 1] * d[..., 1] + frames[..., 2] * d[..., 2]


def half_distance(normals: Array, wi: Array, wo: Array) -> Array:
    """|h - n|^2 of the unit half vector and unit normals, `[n, F, 3], [n, 3], [n, 3] -> [n, F]` in 0..4.

    For unit vectors it is 2 (1 - cos), but keeps its digits where the two almost coincide.
    """
    difference = half_vector(wi, wo)[:, None, :] - normals
    return (difference * difference).sum(axis=-1)


def log_half(normals: Array, wi: Array, wo: Array) -> Array:
    """(log(|h - n|^2 + 1e-6) + 6) / 6 a frame, `[n, F, 3], [n, 3], [n, 3] -> [n, F]` in -1.31..1.24."""
    distance = half_distance(normals, wi, wo)
    return (np.log(distance + distance.dtype.type(LOG_HALF_FLOOR)) + 6) / 6


def half_in_frames(wi: Array, wo: Array) -> Array:
    """Unit half vector of directions already in the frames, `[n, F, 3], [n, F, 3] -> [n, F, 3]`.

    A frame need not be orthonormal, so this is not the half vector in space dotted with t, b, n.
    """
    return normalize(wi + wo)


def difference(half: Array, wi: Array) -> Array:
    """`wi` turned by the shortest arc that takes `half` to (0, 0, 1), both in the frames, `[n, F, 3] x 2 -> [n, F, 3]`.

    With v = (half.y, -half.x, 0): wi half.z + cross(v, wi) + dot(v, wi) v / max(1 + half.z, 0.01) [T]. Unlike the
    usual difference angle it has no singularity at mirror reflection, where half = (0, 0, 1) and nothing is turned.
    """
    vx, vy, z = half[..., 1], -half[..., 0], half[..., 2]
    along = (vx * wi[..., 0] + vy * wi[..., 1]) / np.maximum(1 + z, z.dtype.type(ARC_DIVISOR_MIN))
    return np.stack(
        [
            wi[..., 0] * z + vy * wi[..., 2] + along * vx,
            wi[..., 1] * z - vx * wi[..., 2] + along * vy,
            wi[..., 2] * z + vx * wi[..., 1] - vy * wi[..., 0],
        ],
        axis=-1,
    )


def decoder_input(config: DecoderConfig, frames: Array, wi: Array, wo: Array, latent: Array) -> Array:
    """The decoder's input, `[n, F, 3, 3], [n, 3], [n, 3], [n, C] -> [n, inputs]`.

    Order: frame by frame, feature by feature in the order of `config.features`; then the latent.
    """
    directions = np.concatenate([_feature(name, frames, wi, wo) for name in config.features], axis=2)
    return np.concatenate([directions.reshape(len(latent), -1), latent], axis=1)


def _feature(name: str, frames: Array, wi: Array, wo: Array) -> Array:
    """One feature's numbers in every frame, `[n, F, width]`."""
    if name == "log_half":
        return log_half(frames[:, :, 2], wi, wo)[:, :, None]
    if name in ("wi", "wo"):
        return in_frames(frames, wi if name == "wi" else wo)
    if name.startswith("turned_"):
        half = normalize(wi + wo)
        return in_frames(frames, half if name == "turned_half" else difference(half, wi))
    local_wi, local_wo = in_frames(frames, wi), in_frames(frames, wo)
    if name == "cosines":
        return np.stack([local_wi[..., 2], local_wo[..., 2]], axis=-1)
    half = half_in_frames(local_wi, local_wo)
    return half if name == "half" else difference(half, local_wi)

"""What the decoder sees: the directions in the learned frames, then the latent."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array, half_vector
from verdigris.model.config import DecoderConfig

LOG_HALF_FLOOR = 1e-6
"""Added to |h - n|^2: a lobe of width 2.5e-3, our narrowest, is resolved, and the logarithm stays finite."""


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


def decoder_input(config: DecoderConfig, frames: Array, wi: Array, wo: Array, latent: Array) -> Array:
    """The decoder's input, `[n, F, 3, 3], [n, 3], [n, 3], [n, C] -> [n, inputs]`.

    Order: frame by frame, feature by feature in the order of `config.features`; then the latent.
    """
    columns = []
    for name in config.features:
        if name == "log_half":
            columns.append(log_half(frames[:, :, 2], wi, wo)[:, :, None])
        else:
            columns.append(in_frames(frames, wi if name == "wi" else wo))
    directions = np.concatenate(columns, axis=2)
    return np.concatenate([directions.reshape(len(latent), -1), latent], axis=1)

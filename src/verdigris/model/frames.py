"""Learned shading frames: one linear layer, no bias, from the latent to 6 raw numbers a frame [P]."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array

NORM_MIN = 1e-12
"""Lengths below it count as it when a raw vector is normalised, so that no latent gives a NaN."""


def normalize(v: Array) -> Array:
    """Unit vectors, `[..., 3] -> [..., 3]`."""
    length = np.sqrt((v * v).sum(axis=-1, keepdims=True))
    return v / np.maximum(length, v.dtype.type(NORM_MIN))


def cross(a: Array, b: Array) -> Array:
    """Cross product, `[..., 3], [..., 3] -> [..., 3]`; several times faster than NumPy's on many short vectors."""
    return np.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        axis=-1,
    )


def shading_frames(weight: Array | None, latent: Array) -> Array:
    """Frames of each latent, `[frames * 6, C] or None, [n, C] -> [n, max(frames, 1), 3, 3]`, rows t, b, n.

    The rows of `weight` are, frame by frame, raw n.x n.y n.z t.x t.y t.z. n = normalize(raw n + (0, 0, 1)),
    t = normalize(raw t + (1, 0, 0)), b = cross(n, t): not re-orthogonalised, so b may be shorter than 1 [P].
    Without a weight the only frame is the identity.
    """
    if weight is None:
        return np.broadcast_to(np.eye(3, dtype=latent.dtype), (len(latent), 1, 3, 3))
    raw = (latent @ weight.T).reshape(len(latent), len(weight) // 6, 2, 3)
    n = normalize(raw[:, :, 0] + np.asarray((0, 0, 1), dtype=latent.dtype))
    t = normalize(raw[:, :, 1] + np.asarray((1, 0, 0), dtype=latent.dtype))
    return np.stack([t, cross(n, t), n], axis=2)

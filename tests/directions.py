"""Directions that tests ask about: one by its angles, or many at random."""

import numpy as np


def direction(theta_rad: float, phi_rad: float = 0.0) -> np.ndarray:
    """Unit vector at a polar angle from +z, `[3]` float32."""
    s = np.sin(theta_rad)
    return np.array([s * np.cos(phi_rad), s * np.sin(phi_rad), np.cos(theta_rad)], dtype=np.float32)


def random_directions(
    rng: np.random.Generator, n: int, lowest: float = 0.02, below: float = 0.0, dtype: type = np.float32
) -> np.ndarray:
    """Uniform unit vectors with z >= lowest, `[n, 3]`; of them the share `below` mirrored under the horizon."""
    z = rng.uniform(lowest, 1, n)
    phi = rng.uniform(0, 2 * np.pi, n)
    s = np.sqrt(1 - z * z)
    if below:
        z = np.where(rng.random(n) < below, -z, z)
    return np.stack([s * np.cos(phi), s * np.sin(phi), z], axis=1).astype(dtype)

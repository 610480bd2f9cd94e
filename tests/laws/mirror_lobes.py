"""A sampler that knows no material: a mixture of the cosine and of lobes around the mirror direction.

With it an integral over the hemisphere is estimated a second way, to be compared with a material's own sampler. The
lobes are those of von Mises and Fisher (sampled as Jakob 2012, "Numerically stable sampling of the von Mises-Fisher
distribution on S2"); the narrowest is 2 degrees wide, the widest covers what tilted normals do.
"""

import numpy as np

_CONCENTRATIONS = np.array([10.0, 100.0, 1000.0])
_KINDS = len(_CONCENTRATIONS) + 1
_MIRROR = np.array([-1.0, -1.0, 1.0])


def draw(wi: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(wo `[n, 3]`, density per solid angle `[n]`) for wi `[n, 3]`; some wo lie below the horizon."""
    n = len(wi)
    u, v = rng.random(n), rng.random(n) * 2 * np.pi
    kind = rng.integers(0, _KINDS, n)
    k = np.concatenate([[1.0], _CONCENTRATIONS])[kind]
    cosine = np.where(kind == 0, np.sqrt(u), 1 + np.log(u + (1 - u) * np.exp(-2 * k)) / k)
    pole = np.where(kind[:, None] == 0, [0.0, 0.0, 1.0], wi * _MIRROR)
    helper = np.where(np.abs(pole[:, :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    x = np.cross(helper, pole)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = np.cross(pole, x)
    sine = np.sqrt(np.maximum(1 - cosine * cosine, 0))
    wo = x * (sine * np.cos(v))[:, None] + y * (sine * np.sin(v))[:, None] + pole * cosine[:, None]
    return wo.astype(np.float32), density(wi, wo)


def density(wi: np.ndarray, wo: np.ndarray) -> np.ndarray:
    """Density of `draw`, `[n]`."""
    apart = ((wi * _MIRROR - wo) ** 2).sum(1)[:, None] / 2  # 1 less the cosine, without cancellation
    lobes = _CONCENTRATIONS / (2 * np.pi * -np.expm1(-2 * _CONCENTRATIONS)) * np.exp(-_CONCENTRATIONS * apart)
    return (np.maximum(wo[:, 2], 0) / np.pi + lobes.sum(1)) / _KINDS

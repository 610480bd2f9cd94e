"""How far two images are apart. Images are linear RGB, `[height, width, 3]`; a mask is `[height, width]` of bool."""

from __future__ import annotations

from typing import Any

import numpy as np

from verdigris.conventions import Array, to_srgb

RELMSE_EPSILON = 1e-2
"""Added to the denominator of relMSE, so that black pixels do not outweigh all others."""


def flip_ldr(reference: Array, test: Array, exposure: float = 0.0) -> Array:
    """LDR-FLIP error map, `[height, width]` in 0..1 (Andersson et al. 2020).

    The images are multiplied by 2^exposure and clipped to 0..1 first. Viewing conditions: 67 pixels a degree.
    """
    scale = 2.0**exposure
    return _flip(to_srgb(reference * scale), to_srgb(test * scale), "LDR", {})


def flip_hdr(reference: Array, test: Array) -> Array:
    """HDR-FLIP error map, `[height, width]` in 0..1 (Andersson et al. 2021): the largest over a range of exposures.

    The range comes from the reference; one that is black all over has none, so -2..2 stands in for it.
    """
    # The library ends the process where it finds no exposure to start with.
    parameters = {} if np.median(reference) > 0 else {"startExposure": -2.0, "stopExposure": 2.0}
    return _flip(np.maximum(reference, 0), np.maximum(test, 0), "HDR", parameters)


def relative_mse(reference: Array, test: Array, mask: np.ndarray | None = None) -> float:
    """relMSE: the mean over pixels and channels of (test - reference)^2 / (reference^2 + 1e-2), a denominator each."""
    difference = (test.astype(np.float64) - reference) ** 2 / (reference.astype(np.float64) ** 2 + RELMSE_EPSILON)
    return _mean(difference, mask)


def psnr(reference: Array, test: Array, exposure: float = 0.0, mask: np.ndarray | None = None) -> float:
    """PSNR in dB of the sRGB values in 0..1 after a factor of 2^exposure; infinite where they are equal."""
    scale = 2.0**exposure
    error = _mean((to_srgb(test * scale) - to_srgb(reference * scale)) ** 2, mask)
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def masked_mean(values: Array, mask: np.ndarray | None = None) -> float:
    """Mean of `[height, width, ...]` over the masked pixels; 0 where there are none."""
    return _mean(values, mask)


def _mean(values: Array, mask: np.ndarray | None) -> float:
    chosen = values if mask is None else values[mask]
    return float(chosen.mean(dtype=np.float64)) if chosen.size else 0.0


def _flip(reference: Array, test: Array, dynamic_range: str, parameters: dict[str, Any]) -> Array:
    import flip_evaluator

    first, second = (np.ascontiguousarray(image, dtype=np.float32) for image in (reference, test))
    error, _, _ = flip_evaluator.evaluate(
        first, second, dynamic_range, inputsRGB=True, applyMagma=False, computeMeanError=False, parameters=parameters
    )
    return np.asarray(error)[..., 0]

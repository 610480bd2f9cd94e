"""What BC7 would do to latents: a quarter of the finest level as codes of 8 bits, and these through blocks of mode 6.

    python benchmarks/block_compression.py A.vdg ...

Mode 6 is BC7's only mode with one line through all four channels and the most steps on it: two ends of 7 bits a
channel and one shared bit, 16 steps, 4 x 4 texels. Errors of `eval` are those of 4096 random queries against the
latents as they are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from verdigris import asset as assets
from verdigris.bake.metrics import power_l1
from verdigris.model import NeuralMaterial

SIDE, STEPS = 4, np.array([0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64])
"""Texels along a block; 64ths of the way from one end of its line to the other."""

QUERIES, SMALL, ROUNDS = 4096, 0.02, 3
"""SMALL: smaller responses count as it. ROUNDS: of choosing steps, and ends by least squares."""


def blocks(texels: np.ndarray) -> np.ndarray:
    """`[H, W, 4]` as `[n, 16, 4]`."""
    height, width = texels.shape[:2]
    cut = texels.reshape(height // SIDE, SIDE, width // SIDE, SIDE, 4).transpose(0, 2, 1, 3, 4)
    return cut.reshape(-1, SIDE * SIDE, 4)


def unblocked(found: np.ndarray, height: int, width: int) -> np.ndarray:
    """The reverse of `blocks`."""
    cut = found.reshape(height // SIDE, width // SIDE, SIDE, SIDE, 4)
    return cut.transpose(0, 2, 1, 3, 4).reshape(height, width, 4)


def mode6(texels: np.ndarray) -> np.ndarray:
    """What a block decoder gives for the best blocks that this encoder finds, `[H, W, 4]` of 0..255."""
    wanted = blocks(texels).astype(float)
    low, high = _extremes(wanted)
    best, error, steps = wanted.copy(), np.full(len(wanted), np.inf), np.zeros(wanted.shape[:2], int)
    for _ in range(ROUNDS):
        for bits in product((0, 1), repeat=2):
            a, b = (
                np.clip(np.round((end - bit) / 2), 0, 127) * 2 + bit for end, bit in zip((low, high), bits, strict=True)
            )
            line = np.floor((a[:, None] * (64 - STEPS[:, None]) + b[:, None] * STEPS[:, None] + 32) / 64)
            distance = ((wanted[:, :, None] - line[:, None]) ** 2).sum(axis=-1)
            chosen, total = distance.argmin(axis=-1), distance.min(axis=-1).sum(axis=1)
            better = total < error
            best[better] = np.take_along_axis(line, chosen[:, :, None], axis=1)[better]
            steps[better], error[better] = chosen[better], total[better]
        low, high = _fitted(wanted, STEPS[steps] / 64)
    return unblocked(best, *texels.shape[:2])


def _extremes(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of each block along its axis of largest variance, `[n, 4]`."""
    mean = wanted.mean(axis=1, keepdims=True)
    away = wanted - mean
    axis = np.linalg.eigh(np.einsum("npi,npj->nij", away, away))[1][..., -1]
    along = np.einsum("npi,ni->np", away, axis)
    return tuple(mean[:, 0] + end(axis=1, keepdims=True) * axis for end in (along.min, along.max))


def _fitted(wanted: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends by least squares, for the shares `[n, 16]` of the second one."""
    rest = 1 - share
    a, b, c = ((x * y).sum(axis=1)[:, None] for x, y in ((rest, rest), (rest, share), (share, share)))
    first, second = (np.einsum("np,npi->ni", weight, wanted) for weight in (rest, share))
    area = np.maximum(a * c - b * b, 1e-9)
    return np.clip((c * first - b * second) / area, 0, 255), np.clip((a * second - b * first) / area, 0, 255)


def variants(material: NeuralMaterial) -> dict[str, np.ndarray]:
    """The finest level by the ways to store it."""
    finest = material.latents[0]
    low, high = finest.min(axis=(0, 1)), finest.max(axis=(0, 1))
    scale = np.maximum((high - low) / 255, 1e-12)
    codes = np.round((finest - low) / scale)
    pressed = np.concatenate([mode6(codes[..., part : part + 4]) for part in range(0, finest.shape[2], 4)], axis=2)
    return {name: (array * scale + low).astype(np.float32) for name, array in (("8 bits", codes), ("BC7", pressed))}


def errors(path: str) -> list[dict[str, object]]:
    """A row a way, for an asset."""
    whole = assets.load(path)
    height, width = (side // 2 for side in whole.latents[0].shape[:2])
    material = replace(whole, latents=(whole.latents[0][:height, :width],), grids=(), far=None)
    rng = np.random.default_rng(0)
    uv, wi, wo = rng.random((QUERIES, 2)), *(_directions(rng) for _ in range(2))
    finest, answer = material.latents[0], material.eval(uv, wi, wo)
    rows: list[dict[str, object]] = []
    for name, level in variants(material).items():
        found = replace(material, latents=(level,)).eval(uv, wi, wo)
        relative = np.abs(found - answer) / np.maximum(answer, SMALL)
        off = np.sqrt(((level - finest) ** 2).mean(axis=(0, 1))) / finest.std(axis=(0, 1))
        numbers = {
            "latent_rms": off.mean(),
            "eval_median": np.median(relative),
            "eval_99": np.quantile(relative, 0.99),
            "power_l1": power_l1(found, answer),
        }
        rows.append({"asset": Path(path).stem, "stored": name, **{k: float(f"{v:.3g}") for k, v in numbers.items()}})
    return rows


def _directions(rng: np.random.Generator) -> np.ndarray:
    found = rng.normal(size=(QUERIES, 3))
    found[:, 2] = np.abs(found[:, 2]) + 0.05
    return found / np.linalg.norm(found, axis=1, keepdims=True)


if __name__ == "__main__":
    table = [row for path in sys.argv[1:] for row in errors(path)]
    for row in table:
        print(row)
    result = Path(__file__).parent / "results" / "block_compression.json"
    result.write_text(json.dumps(table, indent=2) + "\n")

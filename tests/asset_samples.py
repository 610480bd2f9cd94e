"""Tiny assets whose bytes are known, and files that are wrong in one chosen way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.asset.format import LENGTH_BYTES, NO_CHECKSUM, canonical_json, seal
from verdigris.asset.write import encode
from verdigris.model import DecoderConfig, Far, Metadata, ModelConfig, NeuralMaterial, SamplerConfig
from verdigris.model.grid import Grid

FOLDER = Path(__file__).parent / "golden"
GOLDEN, GOLDEN_2, GOLDEN_1 = (FOLDER / f"{name}.vdg" for name in ("tiny3", "tiny2", "tiny"))
"""Files of schemas 3, 2 and 1."""
GOLDEN_4, GOLDEN_2_4 = FOLDER / "tiny3_4bit.vdg", FOLDER / "tiny4.vdg"
"""The first two with latents of 4 bits."""
GOLDEN_FAR = FOLDER / "tiny_far.vdg"
"""A file of schema 4, whose decoder has other layers at level 1."""

DECODER = DecoderConfig((3,), "leaky_smelu", ("wi", "difference", "log_half"), "sigmoid", cosine=False)
DECODER_1 = DecoderConfig((3,), "leaky_relu", ("wi", "wo", "log_half"))
"""Their decoders, which have tensors of the same shapes."""


def tiny(decoder: DecoderConfig = DECODER) -> NeuralMaterial:
    """The material of a golden file: numbers from whole-number arithmetic, so that no random generator matters."""
    config = ModelConfig(channels=2, frames=1, decoder=decoder, sampler=SamplerConfig((2,), 1, 0.25))
    counter = 0

    def numbers(*shape: int) -> np.ndarray:
        nonlocal counter
        count = int(np.prod(shape))
        values = ((np.arange(counter, counter + count) * 37 + 11) % 101 - 50) / 64
        counter += count
        return values.astype(np.float32).reshape(shape)

    return NeuralMaterial(
        config=config,
        latents=(numbers(2, 3, 2), numbers(1, 1, 2)),
        frame_weight=numbers(6, 2),
        layers=((numbers(3, 9), numbers(3)), (numbers(3, 3), numbers(3))),
        sampler=((numbers(2, 5), numbers(2)), (numbers(9, 2), numbers(9))),
        metadata=Metadata(
            "tiny", {"uri": "tiny.mtlx", "material": "M", "sha256": NO_CHECKSUM}, {"seed": 7}, {"e": 0.5}
        ),
    )


def tiny_coded() -> NeuralMaterial:
    """The material of `GOLDEN_4`."""
    material, grids, latents = tiny(), [], []
    for level in material.latents:
        codes = (np.arange(level.size) * 37 + 17 >> 1).reshape(level.shape).astype(np.uint8) & 15
        grids.append(Grid(4, np.float32([-1, -2]), np.float32([0.125, 0.25])))
        latents.append(grids[-1].decode(codes))
    return replace(material, latents=tuple(latents), grids=tuple(grids))


def tiny_far() -> NeuralMaterial:
    """The material of `GOLDEN_FAR`."""
    layers = ((np.float32([[0.5, -0.25, 1], [0, 0.75, -1], [2, 1, -0.5]]), np.float32([0.125, -3, 0.5])),)
    return replace(tiny(), far=Far(1, layers))


class Parts:
    """A good file taken apart: header without metadata, manifest, tensor bytes. Change them, then `seal`."""

    def __init__(self, content: bytes | None = None) -> None:
        content = content or encode(tiny())
        end = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
        self.tensors: dict[str, Any] = json.loads(content[LENGTH_BYTES:end])
        self.manifest: dict[str, Any] = json.loads(self.tensors.pop("__metadata__")["verdigris"])
        self.data = bytearray(content[end:])

    def seal(self) -> bytes:
        """The file, with a right checksum."""
        metadata = {"checksum": NO_CHECKSUM, "verdigris": canonical_json(self.manifest)}
        header = json.dumps({"__metadata__": metadata, **self.tensors}).encode()
        return seal(header, bytes(self.data))


def forged(change: Callable[[Parts], None], content: bytes | None = None) -> bytes:
    """A file that is wrong in one way, and sealed with a right checksum so that only that is found."""
    parts = Parts(content)
    change(parts)
    return parts.seal()

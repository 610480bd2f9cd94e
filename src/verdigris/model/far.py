"""What the decoder becomes at coarse levels, those of far views: its first layer stays, those behind it are others.

A coarse level answers with means over many texels, which one network of this size cannot hold beside the responses of
single ones (docs/level-of-detail.md). Frames, latents, sampler and heads are the same at all levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.model.auxiliary import Layers, check_layers
from verdigris.model.config import ModelConfig


@dataclass(frozen=True, eq=False)
class Far:
    """level: the first of the levels that it answers for, 1 or more. layers: (weight `[out, in]`, bias `[out]`), of the
    widths that the decoder's have behind its first one."""

    level: int
    layers: Layers

    def network(self, layers: Layers) -> Layers:
        """All layers at its levels, given the decoder's."""
        return (layers[0], *self.layers)

    def check(self, config: ModelConfig, levels: int, dtype: np.dtype[Any]) -> None:
        """Raises ValueError, naming the field, where it does not fit a material of so many levels."""
        if not 1 <= self.level < levels:
            raise ValueError(f"far.level: expected 1 to {levels - 1}, got {self.level}")
        check_layers("far", self.layers, far_widths(config), dtype)


def far_widths(config: ModelConfig) -> tuple[int, ...]:
    """Widths of its layers, the numbers of the decoder's first hidden layer first, 3 last."""
    return (*config.decoder.hidden, 3)

"""Draws what `shading.py parts` measured under the two bounds of its run: a roofline.

    .venv/bin/python benchmarks/roofline_plot.py benchmarks/results/shading_parts.json docs/images/roofline.png

Across: operations of the networks a byte, 2 a multiply-add. Up: how many of them a second; the roof is the rate of a
matrix product, or of memory where a part asks little of the networks. The part that fetches latents alone has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from table_plot import BLUE, GREEN, draw

from verdigris.render.plot import GRID, INK, NEURAL, TEXT_SIZE, Colour, Drawing

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 56.0, WIDTH - 24.0, 40.0, HEIGHT - 44.0
ACROSS, UP = (0.5, 256.0), (1.0, 256.0)
LABELS = {"frames": (1, 0), "eval": (-1, 0), "pdf": (0, 1), "sample": (0, -1), "eval_pdf_sample": (1, 0)}
"""On which side of its point a part's name stands: 1 is to the right, and above. The first material's have one."""

COLOURS: tuple[Colour, ...] = (NEURAL, BLUE, GREEN)


def drawn(table: dict[str, Any]) -> np.ndarray:
    """The picture, both axes logarithmic."""
    drawing, product, memory = Drawing(WIDTH, HEIGHT), table["gemm_gflops"], table["copy_gbytes"]
    drawing.text((6, 5), "GFLOP/s of the networks, one core, over operations a byte", size=TEXT_SIZE)
    for power in np.arange(np.log2(ACROSS[0]), np.log2(ACROSS[1]) + 1):
        drawing.line([at(2**power, UP[0]), at(2**power, UP[1])], GRID)
        drawing.text((at(2**power, 1)[0], BOTTOM + 6), f"{2**power:g}", "ma")
    for power in np.arange(np.log2(UP[0]), np.log2(UP[1]) + 1, 2):
        drawing.line([at(ACROSS[0], 2**power), at(ACROSS[1], 2**power)], GRID)
        drawing.text((LEFT - 8, at(1, 2**power)[1]), f"{2**power:g}", "rm")
    drawing.text(((LEFT + RIGHT) / 2, BOTTOM + 24), "operations a byte", "ma")
    roof = [(intensity, min(product, memory * intensity)) for intensity in (ACROSS[0], product / memory, ACROSS[1])]
    drawing.line([at(*point) for point in roof], INK, 2.0)
    drawing.text((RIGHT, at(1, product)[1] - 6), f"matrix product, {product:g} GFLOP/s", "rd")
    drawing.text((LEFT + 6, at(1, memory * ACROSS[0])[1] + 6), f"memory, {memory:g} GB/s", "la")
    for row, (name, parts) in enumerate(materials(table).items()):
        _points(drawing, parts, COLOURS[row], named=row == 0)
        drawing.text((RIGHT, BOTTOM - 8 - 16 * row), name, "rd", COLOURS[row])
    return drawing.pixels()


def materials(table: dict[str, Any]) -> dict[str, Any]:
    """The rows of a table that are materials."""
    return {name: parts for name, parts in table.items() if isinstance(parts, dict)}


def at(intensity: float, rate: float) -> tuple[float, float]:
    """The place of a point."""
    x, y = (np.log2(value / low) / np.log2(high / low) for value, (low, high) in ((intensity, ACROSS), (rate, UP)))
    return LEFT + (RIGHT - LEFT) * float(x), BOTTOM - (BOTTOM - TOP) * float(y)


def _points(drawing: Drawing, parts: dict[str, Any], colour: Colour, named: bool) -> None:
    for part, row in parts.items():
        if not row["multiply_adds"]:
            continue
        operations = 2 * row["multiply_adds"]
        place = at(operations / row["bytes"], operations / row["ns"])
        drawing.line([place], colour)
        if not named:
            continue
        sideways, up = LABELS[part]
        anchor = {-1: "r", 0: "m", 1: "l"}[sideways] + {-1: "a", 0: "m", 1: "d"}[up]
        drawing.text((place[0] + 7 * sideways, place[1] - 7 * up), part, anchor, colour)


if __name__ == "__main__":
    draw(__doc__.splitlines()[0], drawn)

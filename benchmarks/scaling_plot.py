"""Draws what `scaling.py` measured: milliseconds a frame over the number of materials.

.venv/bin/python benchmarks/scaling_plot.py benchmarks/results/scaling.json docs/images/scaling.png
"""

from __future__ import annotations

from typing import Any

import numpy as np
from table_plot import BLUE, GREEN, draw

from verdigris.render.plot import GRID, NEURAL, REFERENCE, TEXT_SIZE, Drawing

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 52.0, WIDTH - 96.0, 40.0, HEIGHT - 40.0
COLOURS = {"shared": NEURAL, "apart": BLUE, "sorted": GREEN, "layered": REFERENCE}
TICK = 500
NAMES = {"shared": "one network", "apart": "separate", "sorted": "sorted", "layered": "graphs"}


def drawn(table: dict[str, list[dict[str, Any]]]) -> np.ndarray:
    """The picture; a doubling of the materials is a step of equal width."""
    rows = [row for kind in table.values() for row in kind]
    last = max(np.log2(row["materials"]) for row in rows)
    highest = max(row["frame_ms"] for row in rows) * 1.05
    drawing = Drawing(WIDTH, HEIGHT)
    drawing.text((6, 5), "milliseconds a frame", size=TEXT_SIZE)

    def at(count: float, milliseconds: float) -> tuple[float, float]:
        x = LEFT + (RIGHT - LEFT) * float(np.log2(count)) / last
        return x, BOTTOM - (BOTTOM - TOP) * milliseconds / highest

    for milliseconds in range(0, int(highest) + 1, TICK):
        drawing.line([at(1, milliseconds), at(2**last, milliseconds)], GRID)
        drawing.text((LEFT - 8, at(1, milliseconds)[1]), f"{milliseconds}", "rm")
    for power in range(int(last) + 1):
        drawing.text((at(2**power, 0)[0], BOTTOM + 6), f"{2**power}", "ma")
    drawing.text(((LEFT + RIGHT) / 2, BOTTOM + 22), "materials", "ma")
    for kind, found in table.items():
        points = [at(row["materials"], row["frame_ms"]) for row in found]
        drawing.line(points, COLOURS[kind], 2.0)
        drawing.text((points[-1][0] + 8, points[-1][1]), NAMES[kind], "lm", COLOURS[kind])
    return drawing.pixels()


if __name__ == "__main__":
    draw(__doc__.splitlines()[0], drawn)

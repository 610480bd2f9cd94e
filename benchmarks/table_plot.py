"""What scripts that draw a table of numbers have in common: their command line, and colours beside the package's."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.render.image import write_png
from verdigris.render.plot import Colour

BLUE: Colour = (96, 176, 255)
GREEN: Colour = (120, 208, 140)


def draw(description: str, drawn: Callable[[Any], np.ndarray]) -> None:
    """Writes the picture that is drawn of a JSON table; both files are named on the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("table", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    write_png(options.picture, drawn(json.loads(options.table.read_text())))

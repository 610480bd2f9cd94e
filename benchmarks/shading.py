"""The speed of shading by one neural material. Prints JSON.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/shading.py decoder out/small.vdg out/brass.vdg
    .venv/bin/python benchmarks/shading.py layered out/ceramic_teapot.vdg out/inkwell_brass.vdg
    OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/shading.py parts out/brass.vdg

`decoder`: the decoder alone on a million inputs that lie in memory, beside onnxruntime and NumPy on the same weights
and inputs, each with the chunks that suit it best, and beside the peak of a matrix product (NumPy, 2048 x 2048), all
by turns in one run, on one core and in seconds of the processor, so that other work on the machine counts for little
and threads that wait for work for nothing. `layered`: the assets beside what they were baked from; see
`shading_layered.py`. `parts`: what a hit is made of, and its bounds; see `shading_parts.py`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import shading_decoder
import shading_layered
import shading_parts

import verdigris

MEASURES = {
    "decoder": shading_decoder.measured,
    "layered": shading_layered.measured,
    "parts": shading_parts.measured,
}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("assets", nargs="+", type=Path, help="baked materials")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    assets = {asset.stem: verdigris.load(asset) for asset in options.assets}
    print(json.dumps(MEASURES[options.measure](assets, options.repeats), indent=1))


if __name__ == "__main__":
    main()

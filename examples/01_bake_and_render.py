"""Bakes a built-in material, saves it, and renders it in a Mitsuba scene of one's own.

    python examples/01_bake_and_render.py [PRESET] [FOLDER]

PRESET: draft (default), standard or final. FOLDER: where brass.vdg and brass.png go, default the current one.
"""

import sys
from pathlib import Path

import verdigris  # before mitsuba: Dr.Jit loads its libLLVM the moment it is imported
from verdigris.bake import BakeConfig, preset

# isort: split
import mitsuba as mi


def scene(asset: Path) -> dict:
    """A sphere of the material under a plain sky, as a Mitsuba dict."""
    return {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 4},
        "sensor": {
            "type": "perspective",
            "fov": 35,
            "to_world": mi.ScalarTransform4f().look_at(origin=[0, -4, 1], target=[0, 0, 0], up=[0, 0, 1]),
            "film": {"type": "hdrfilm", "width": 256, "height": 256},
        },
        "sky": {"type": "constant", "radiance": {"type": "rgb", "value": [0.4, 0.5, 0.7]}},
        "lamp": {
            "type": "sphere",
            "center": [-3, -3, 4],
            "radius": 0.7,
            "emitter": {"type": "area", "radiance": {"type": "rgb", "value": 40.0}},
        },
        "ball": {"type": "sphere", "bsdf": {"type": "verdigris", "filename": str(asset)}},
    }


def run(config: BakeConfig, folder: Path) -> None:
    """The whole way: document, neural material, file, picture."""
    neural = verdigris.bake("library:verdigris_brass", config)
    verdigris.save(neural, folder / "brass.vdg")
    verdigris.register()
    picture = mi.render(mi.load_dict(scene(folder / "brass.vdg")), spp=64)
    mi.util.write_bitmap(str(folder / "brass.png"), picture, write_async=False)


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    run(preset(arguments.get(1, "draft")), Path(arguments.get(2, ".")))

"""Bakes layered MaterialX materials into small neural materials and path-traces them.

Names are loaded on first use: `import verdigris` needs NumPy only, and no renderer starts until one is asked for.
Import it before `mitsuba` and `drjit`, which otherwise may load a libLLVM that cannot be used.
`verdigris.bake` is the package of that name and can be called: `verdigris.bake(source, config)`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from verdigris.errors import VerdigrisError as VerdigrisError
from verdigris.runtime import announce_llvm as _announce_llvm

if TYPE_CHECKING:
    from verdigris.asset import load as load
    from verdigris.asset import save as save
    from verdigris.bake import bake as bake
    from verdigris.bake.config import BakeConfig as BakeConfig
    from verdigris.materials.reference import ReferenceMaterial as ReferenceMaterial
    from verdigris.materials.reference import load_reference as load_reference
    from verdigris.model import NeuralMaterial as NeuralMaterial
    from verdigris.render.plugin import register as register

__version__ = "0.1.0"

_announce_llvm()

_HOMES = {
    "BakeConfig": "verdigris.bake.config",
    "NeuralMaterial": "verdigris.model",
    "ReferenceMaterial": "verdigris.materials.reference",
    "load": "verdigris.asset",
    "load_reference": "verdigris.materials.reference",
    "register": "verdigris.render.plugin",
    "save": "verdigris.asset",
}

__all__ = ["VerdigrisError", "bake", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "bake":
        return import_module("verdigris.bake")
    if name not in _HOMES:
        raise AttributeError(f"module 'verdigris' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Bakes a reference material into a neural one. The package itself can be called: `verdigris.bake(source, config)`."""

import sys
from types import ModuleType
from typing import Any

from verdigris.bake.config import PRESETS as PRESETS
from verdigris.bake.config import BakeConfig as BakeConfig
from verdigris.bake.config import DirectionMix as DirectionMix
from verdigris.bake.config import preset as preset
from verdigris.bake.loop import Job as Job
from verdigris.bake.loop import Progress as Progress
from verdigris.bake.pipeline import bake as bake
from verdigris.bake.pipeline import bake_shared as bake_shared


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return bake(*args, **kwargs)


# `verdigris.bake` is both this package and, to a user, the function of that name.
sys.modules[__name__].__class__ = _CallablePackage

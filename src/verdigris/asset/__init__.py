"""The `.vdg` file: one baked material, float16, with everything needed to evaluate it. Needs NumPy alone."""

from verdigris.asset.read import inspect as inspect
from verdigris.asset.read import load as load
from verdigris.asset.write import save as save
from verdigris.asset.write import save_all as save_all

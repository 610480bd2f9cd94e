"""Closures, one family a file; importing this package registers them all."""

from verdigris.materials.closures import diffuse as diffuse
from verdigris.materials.closures import sheen as sheen
from verdigris.materials.closures import specular as specular
from verdigris.materials.closures.base import CLOSURES as CLOSURES
from verdigris.materials.closures.base import Closure as Closure

"""Pattern nodes, one family a file; importing this package registers them all."""

from verdigris.materials.nodes import geometry as geometry
from verdigris.materials.nodes import image as image
from verdigris.materials.nodes import math as math
from verdigris.materials.nodes import microsurface as microsurface
from verdigris.materials.nodes import noise as noise
from verdigris.materials.nodes.registry import PATTERNS as PATTERNS

"""Pattern nodes, one family a file; importing this package registers them all."""

from verdigris.materials.nodes import channel as channel
from verdigris.materials.nodes import colour as colour
from verdigris.materials.nodes import compositing as compositing
from verdigris.materials.nodes import conditional as conditional
from verdigris.materials.nodes import flake as flake
from verdigris.materials.nodes import geometry as geometry
from verdigris.materials.nodes import hextile as hextile
from verdigris.materials.nodes import image as image
from verdigris.materials.nodes import math as math
from verdigris.materials.nodes import matrix as matrix
from verdigris.materials.nodes import microsurface as microsurface
from verdigris.materials.nodes import noise as noise
from verdigris.materials.nodes import ramp as ramp
from verdigris.materials.nodes import relief as relief
from verdigris.materials.nodes import worley as worley
from verdigris.materials.nodes.registry import PATTERNS as PATTERNS

"""The built-in materials: MaterialX documents, and the code that draws their textures."""

from verdigris.materials.library.catalogue import locate as locate
from verdigris.materials.library.catalogue import names as names

"""Every error a user can cause.

VerdigrisError
 ├─ GraphError    a material document: names the file and the node path
 ├─ BakeError     a bake: names the setting
 ├─ AssetError    a `.vdg` file: names the file and the field
 ├─ RenderError   a scene, an image or the renderer: names the parameter
 ├─ ExportError   a shader target
 └─ RuntimeMissing  the machine lacks something (libLLVM, an extra)

Messages are one line and say what was expected and what was got. The command line prints them and
exits with a non-zero code; `assert` is kept for our own invariants.
"""


class VerdigrisError(Exception):
    """Base of every error that is the input's or the machine's fault, not ours."""


class GraphError(VerdigrisError):
    """A material document is wrong, or asks for something that is not supported."""


class BakeError(VerdigrisError):
    """A bake cannot start or cannot go on."""


class AssetError(VerdigrisError):
    """A `.vdg` file is damaged, unsupported, or cannot be written."""


class RenderError(VerdigrisError):
    """A scene, an image or a render setting is wrong."""


class ExportError(VerdigrisError):
    """A shader cannot be exported."""


class RuntimeMissing(VerdigrisError):
    """The machine lacks something that is needed: libLLVM, a package of an extra."""

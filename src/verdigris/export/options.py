"""What a user may choose of an export, and what each target makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from verdigris.export.weights import Home


@dataclass(frozen=True)
class Options:
    """weights: in the text, or in a buffer. half: products of hidden layers in half precision. codes: latents of 8 or
    4 bits as RGBA8. prefix: of all names. cooperative: a second variant of the networks, as cooperative vectors."""

    weights: Home = "literals"
    half: bool = False
    codes: bool = False
    prefix: str = "vd"
    cooperative: bool = False


@dataclass(frozen=True)
class Binding:
    """What a shader reads. name: in its text. place: binding, register or uniform. kind: type. file: what fills it."""

    name: str
    place: str
    kind: str
    file: str


@dataclass(frozen=True)
class Export:
    """A target's files. language: of the text. usage, interface: of the README, before and behind the bindings.
    facts: more for the manifest."""

    files: dict[str, bytes]
    language: str
    bindings: tuple[Binding, ...] = ()
    usage: str = ""
    interface: str = ""
    facts: dict[str, object] = field(default_factory=dict)

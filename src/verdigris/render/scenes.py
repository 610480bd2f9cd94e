"""The test scenes: one object under the studio or a lamp, or a scene file of the user's with its material replaced."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verdigris.errors import RenderError
from verdigris.render.emission import area_emitter
from verdigris.render.environment import direction, glare, studio
from verdigris.render.geometry import Grid, ground, mesh, plane, sphere
from verdigris.render.plugin import register
from verdigris.render.teapot import teapot
from verdigris.runtime import mitsuba

MATERIAL_ID = "material"
"""The id of the BSDF that is replaced in a scene file."""

MAX_SIDE = 8192
MAX_DEPTH = 8
"""Longest path of the built-in scenes: the teapot reflects itself."""


@dataclass(frozen=True)
class Stage:
    """An object and where the camera stands. fov_deg: field of view of the shorter side."""

    grids: Callable[[], list[Grid]]
    origin: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float


STAGES = {
    "sphere": Stage(lambda: [sphere()], (0, 0, 5.0), (0, 0, 0), 26.0),
    "plane": Stage(lambda: [plane()], (0, 5.6, 4.0), (0, -0.05, 0.06), 20.0),
    "teapot": Stage(teapot, (1.5, 6.2, 13.5), (0.26, -0.06, 0), 27.0),
    "horizon": Stage(lambda: [ground()], (0, 0.4, 0), (0, 0.15, -1.0), 40.0),
}

ENVIRONMENTS = {"studio": studio, "glare": glare}
LIGHTS = (*ENVIRONMENTS, "lamp", "sun", "dusk")
"""An environment with soft boxes, and a dim one with a small bright light; a small area light over a dim sky; a sun in
the camera's back, and a low one that it faces, both points at infinity, which sampling finds without noise.
`sphere@lamp` is the sphere under the lamp."""

_SUNS = {"sun": direction(40.0, 50.0), "dusk": direction(165.0, 20.0)}
_SUN_IRRADIANCE = 3.0
_LAMP_AT, _LAMP_SIZE, _LAMP_RADIANCE, _SKY_RADIANCE = (4.0, 12.0, 5.0), 1.0, 110.0, 0.08


@functools.cache
def _grids(name: str) -> list[Grid]:
    return STAGES[name].grids()


@functools.cache
def _environment(light: str) -> Any:
    return ENVIRONMENTS[light]()


def build_scene(scene: str | Path, bsdf: Any, size: tuple[int, int], box_filter: bool = False) -> Any:
    """A `mitsuba.Scene` that shows the BSDF, with a film of `size` (width, height).

    box_filter: a pixel is the plain mean of its own samples, as denoisers expect it: filters that reach further spread
    noise over pixels, which then looks like detail. Otherwise Mitsuba's default, or the file's.

    Its integrator is `verdigris_path`; in a scene file, it is put in the place of `path`, and any other kept.
    scene: a name of STAGES, alone or with `@` and one of LIGHTS, the first by default, or a path ending in `.xml`,
    whose BSDF with id "material" is replaced.
    In the named scenes a material of ours that emits light does so; in a file it is up to the file (see `emission.py`).
    Raises RenderError: unknown name, bad size, or a scene file that is missing, broken or without that id.
    """
    if len(size) != 2 or not all(1 <= side <= MAX_SIDE for side in size):
        raise RenderError(f"size: expected two sides from 1 to {MAX_SIDE}, got {'x'.join(map(str, size))}")
    stage, _, light = str(scene).partition("@")
    if stage in STAGES and (light or LIGHTS[0]) in LIGHTS and not str(scene).endswith("@"):
        return _build_stage(stage, light or LIGHTS[0], bsdf, size, box_filter)
    if not str(scene).lower().endswith(".xml"):
        raise RenderError(f"scene: expected {', '.join(STAGES)} (or one @lamp) or a path ending in .xml, got {scene}")
    return _build_file(Path(scene), bsdf, size, box_filter)


def camera(
    origin: Sequence[float], target: Sequence[float], fov_deg: float, size: tuple[int, int], box_filter: bool = False
) -> dict[str, Any]:
    """A perspective sensor as a dict, y upwards. fov_deg: field of view of the shorter side. size: width, height.

    box_filter: as `build_scene` has it.
    """
    film = {
        "type": "hdrfilm",
        "width": size[0],
        "height": size[1],
        "pixel_format": "rgb",
        "component_format": "float32",
        **({"rfilter": {"type": "box"}} if box_filter else {}),
    }
    return {
        "type": "perspective",
        "fov": fov_deg,
        "fov_axis": "smaller",
        "to_world": mitsuba().ScalarTransform4f().look_at(origin, target, [0, 1, 0]),
        "film": film,
        "sampler": {"type": "independent"},
    }


def _build_stage(name: str, light: str, bsdf: Any, size: tuple[int, int], box_filter: bool) -> Any:
    mi = mitsuba()
    register()
    stage = STAGES[name]
    return mi.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "verdigris_path", "max_depth": MAX_DEPTH},
            "sensor": camera(stage.origin, stage.target, stage.fov_deg, size, box_filter),
            "object": mesh(_grids(name), bsdf, area_emitter(getattr(bsdf, "material", None))),
            **_lights(light),
        }
    )


def _lights(name: str) -> dict[str, Any]:
    mi = mitsuba()
    if name in ENVIRONMENTS:
        return {"environment": {"type": "envmap", "bitmap": mi.Bitmap(_environment(name))}}
    if name in _SUNS:
        sun = {"type": "rgb", "value": _SUN_IRRADIANCE}
        return {name: {"type": "directional", "direction": (-_SUNS[name]).tolist(), "irradiance": sun}}
    facing = mi.ScalarTransform4f().look_at(_LAMP_AT, (0, 0, 0), (0, 1, 0)) @ mi.ScalarTransform4f().scale(_LAMP_SIZE)
    emitter = {"type": "area", "radiance": {"type": "rgb", "value": _LAMP_RADIANCE}}
    return {
        "lamp": {"type": "rectangle", "to_world": facing, "emitter": emitter},
        "sky": {"type": "constant", "radiance": {"type": "rgb", "value": _SKY_RADIANCE}},
    }


def _build_file(path: Path, bsdf: Any, size: tuple[int, int], box_filter: bool) -> Any:
    mi = mitsuba()
    if not path.is_file():
        raise RenderError(f"{path}: expected a scene file, got {'a folder' if path.is_dir() else 'no such file'}")
    register()
    config = mi.parser.ParserConfig(mi.variant())
    with _resolving_beside(path):
        try:
            state = mi.parser.parse_file(config, str(path))
            _replace_material(path, state, bsdf)
            _resize(state, size)
            if box_filter:
                _use_box_filter(state)
            _follow_footprints(state)
            mi.parser.transform_all(config, state)
            return _single(mi.parser.instantiate(config, state))
        except RuntimeError as error:  # all that Mitsuba raises
            raise RenderError(f"{path}: cannot be loaded: {_brief(str(error))}") from error


@contextmanager
def _resolving_beside(path: Path) -> Iterator[None]:
    """Relative file names in a scene mean files beside it, as `mitsuba.load_file` has it."""
    mi = mitsuba()
    before = mi.file_resolver()
    inside = mi.FileResolver(before)
    inside.prepend(str(path.resolve().parent))
    mi.set_file_resolver(inside)
    try:
        yield
    finally:
        mi.set_file_resolver(before)


def _replace_material(path: Path, state: Any, bsdf: Any) -> None:
    """Puts the BSDF object wherever the node with id "material" is used."""
    kinds = mitsuba().Properties.Type
    if MATERIAL_ID not in state.id_to_index:
        raise RenderError(f'{path}: expected a BSDF with id "{MATERIAL_ID}", got none')
    index = state.id_to_index[MATERIAL_ID]
    if state.nodes[index].type != mitsuba().ObjectType.BSDF:
        raise RenderError(f'{path}: expected id "{MATERIAL_ID}" on a BSDF, got it on another kind of object')
    for node in state.nodes:
        for key in list(node.props.keys()):
            kind = node.props.type(key)
            by_name = kind == kinds.Reference and node.props[key].id() == MATERIAL_ID
            if by_name or (kind == kinds.ResolvedReference and node.props[key].index() == index):
                node.props[key] = bsdf


def _resize(state: Any, size: tuple[int, int]) -> None:
    for node in state.nodes:
        if node.type == mitsuba().ObjectType.Film:
            node.props["width"], node.props["height"] = size


def _use_box_filter(state: Any) -> None:
    """Puts a box in the place of each reconstruction filter, and in films that name none."""
    mi = mitsuba()
    filters = {i for i, node in enumerate(state.nodes) if node.type == mi.ObjectType.ReconstructionFilter}
    for node in state.nodes:
        if node.type != mi.ObjectType.Film:
            continue
        for key in list(node.props.keys()):
            if node.props.type(key) == mi.Properties.Type.ResolvedReference and node.props[key].index() in filters:
                del node.props[key]
        node.props["rfilter"] = mi.load_dict({"type": "box"})


def _follow_footprints(state: Any) -> None:
    """Mitsuba's `path` becomes our own, which has its parameters."""
    for node in state.nodes:
        if node.type == mitsuba().ObjectType.Integrator and node.props.plugin_name() == "path":
            node.props.set_plugin_name("verdigris_path")


def _brief(message: str) -> str:
    """One line of Mitsuba's message; of a traceback in it, only the error that ended it."""
    head, traceback, tail = message.partition("Traceback (most recent call last):")
    return " ".join((head + tail.strip().split("\n")[-1] if traceback else message).split())


def _single(loaded: Any) -> Any:
    return loaded[0] if isinstance(loaded, list) else loaded

"""`verdigris render`: one picture of an asset or of a reference."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from verdigris.cli import files


def render(
    source: Annotated[str, typer.Argument(metavar="ASSET|SOURCE", help="A .vdg file, a .mtlx file or library:NAME.")],
    material: Annotated[str | None, typer.Option("-m", "--material", help="Which material of the document.")] = None,
    scene: Annotated[str, typer.Option(help="sphere, plane, teapot, or a Mitsuba scene FILE.xml.")] = "sphere",
    size: Annotated[str, typer.Option(metavar="WxH", help="Picture size in pixels.")] = "512x512",
    spp: Annotated[int, typer.Option(help="Samples a pixel.")] = 64,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Default: NAME.png, here.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
) -> None:
    """Path-trace a material in a scene."""
    width, height = files.parse_size(size)
    if output is not None:
        files.image_path(output)
    raise NotImplementedError

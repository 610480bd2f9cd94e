"""`verdigris render`: one picture of an asset or of a reference, or frame after frame of it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from verdigris.cli import files
from verdigris.cli.realtime import Moving


def render(
    source: Annotated[str, typer.Argument(metavar="ASSET|SOURCE", help="A .vdg, .mtlx or .xml file, or library:NAME.")],
    material: Annotated[str | None, typer.Option("-m", "--material", help="Which material of the source.")] = None,
    scene: Annotated[
        str, typer.Option(help="sphere, plane, teapot, horizon (or one @lamp, @sun), or FILE.xml.")
    ] = "sphere",
    size: Annotated[str, typer.Option(metavar="WxH", help="Picture size in pixels.")] = "512x512",
    spp: Annotated[int | None, typer.Option(help="Samples a pixel; default 64, or 1 a frame.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help=".png or .exr; default NAME.png, here.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    level: Annotated[
        float | None, typer.Option(help="Level of detail of the whole asset, 0 the finest. Default: by footprint.")
    ] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
    layering: Annotated[
        str | None,
        typer.Option(help="scale or walk: how the source's layers are combined. Default: walk for library:NAME."),
    ] = None,
    aov: Annotated[
        list[str] | None,
        typer.Option(
            help="albedo, normal, roughness, directional_albedo, emission or opacity, written beside the picture as "
            "STEM.NAME.exr; repeatable."
        ),
    ] = None,
    denoised: Annotated[
        bool, typer.Option("--denoise", help="By Open Image Denoise: pip install 'verdigris[denoise]'.")
    ] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Render frame after frame, the camera going around; tell their times.")
    ] = False,
    frames: Annotated[int | None, typer.Option(help="Of --realtime; default 300.")] = None,
    turn: Annotated[float | None, typer.Option(help="Degrees that the camera goes a step; default 1.")] = None,
    hold: Annotated[int | None, typer.Option(help="Frames a step, which are averaged; default 1.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what --realtime measured as JSON.")] = False,
) -> None:
    """Path-trace a material in a scene."""
    pixels = files.parse_size(size)
    if output is not None:
        files.image_path(output)
    moving = Moving(frames, turn, hold, as_json)
    moving.check(realtime, aov)
    if denoised:
        from verdigris.render.denoise import library

        library()
    subject = (
        files.load_asset(source) if files.is_asset(source) else files.load_source(source, material, root, layering)
    )
    if realtime:
        moving.run(subject, scene, pixels, 1 if spp is None else spp, seed, level, denoised, output)
        return
    spp = 64 if spp is None else spp
    from verdigris.cli.progress import render_bar
    from verdigris.render.aov import check_aovs, render_aovs
    from verdigris.render.guided import without_noise
    from verdigris.render.image import write_image
    from verdigris.render.pathtrace import render as path_trace

    output = files.image_path(output or Path(f"{files.default_stem(source, subject)}.png"))
    names = tuple(dict.fromkeys(aov or ()))
    check_aovs(subject, names)
    start = time.perf_counter()
    with render_bar() as on_progress:
        picture = path_trace(subject, scene, pixels, spp, seed, partial(on_progress, "render"), level, denoised)
    if denoised:
        picture = without_noise(subject, picture, scene, spp, seed)
    write_image(output, picture)
    beside = {output.with_suffix(f".{name}.exr"): name for name in names}
    pictures = render_aovs(subject, names, scene, pixels, spp, seed) if names else {}
    for path, name in beside.items():
        write_image(path, pictures[name])
    seconds = time.perf_counter() - start
    for path in beside:
        typer.echo(f"{path}")
    typer.echo(f"{output}: {pixels[0]}x{pixels[1]}, {spp} samples a pixel, rendered in {seconds:.1f} s")

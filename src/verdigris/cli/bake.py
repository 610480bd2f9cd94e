"""`verdigris bake`: a material document becomes a `.vdg` file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from verdigris.cli import files


def bake(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A .mtlx or Mitsuba .xml file, or library:NAME.")],
    material: Annotated[str | None, typer.Option("-m", "--material", help="Which material of the source.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Default: MATERIAL.vdg, here.")] = None,
    preset: Annotated[str, typer.Option(help="draft, standard or final.")] = "standard",
    resolution: Annotated[int, typer.Option(help="Side of the latent texture in texels.")] = 512,
    seed: Annotated[int, typer.Option(help="Two bakes with one seed are the same file.")] = 0,
    layering: Annotated[
        str | None,
        typer.Option(help="scale or walk: how the source's layers are combined. Default: walk for library:NAME."),
    ] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
) -> None:
    """Bake a material into a neural one."""
    if output is not None:
        files.asset_path(output)
    from verdigris.asset import save
    from verdigris.bake import bake as run_bake
    from verdigris.bake.config import preset as named_preset
    from verdigris.cli.progress import bake_bar

    config = named_preset(preset, resolution=resolution, seed=seed)
    reference = files.load_source(source, material, root, layering)
    output = files.asset_path(output or Path(f"{files.file_stem(reference.name)}.vdg"))
    start = time.perf_counter()
    with bake_bar(reference.name) as on_progress:
        neural = run_bake(reference, config, on_progress)
    save(neural, output)
    seconds = time.perf_counter() - start
    typer.echo(f"{output}: {output.stat().st_size / 2**20:.2f} MiB, baked in {seconds:.0f} s")

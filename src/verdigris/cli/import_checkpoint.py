"""`verdigris import`: a checkpoint of `neuralappearance` as an asset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verdigris.cli import files


def import_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(metavar="MODEL.json", help="The EXR files are sought beside it.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .vdg file.")],
) -> None:
    """Read a checkpoint of NVIDIA's neuralappearance into an asset."""
    files.asset_path(output)
    from verdigris.asset import save
    from verdigris.export import checkpoint as checkpoints

    material = checkpoints.read(checkpoint)
    if not checkpoints.has_sampler(checkpoint):
        typer.echo("warning: its sampler has no equal here: verdigris.bake.sampler.fit trains one", err=True)
    save(material, output)
    typer.echo(f"{output}: {output.stat().st_size / 2**20:.2f} MiB")

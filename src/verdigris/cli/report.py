"""`verdigris report`: a picture of how a bake went and what it learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verdigris.cli import files
from verdigris.errors import AssetError


def report(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="A .vdg file.")],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A .mtlx or Mitsuba .xml file, or library:NAME.")],
    material: Annotated[
        str | None, typer.Option("-m", "--material", help="Which material; default: the one that was baked.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Default: ASSET_report.png, here.")] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
    layering: Annotated[
        str | None, typer.Option(help="scale or walk: how the source's layers are combined. Default: as baked.")
    ] = None,
) -> None:
    """Draw the loss of a bake, and its response beside the reference's at several texels."""
    if not files.is_asset(asset):
        raise AssetError(f"{asset}: expected a {files.ASSET_SUFFIX} file")
    output = files.picture_path(output or Path(f"{Path(asset).stem}_report.png"))
    from verdigris.render.report import save

    neural = files.load_asset(asset)
    save(neural, files.reference_of(neural, source, material, root, layering), output)
    typer.echo(str(output))

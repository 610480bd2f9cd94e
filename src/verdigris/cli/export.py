"""`verdigris export`: an asset as a shader, or in a form that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verdigris.cli import files
from verdigris.errors import AssetError


def export(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="A .vdg file.")],
    target: Annotated[str, typer.Option(help="What it becomes; docs/export.md lists the targets.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder, or one of an earlier export.")],
    weights: Annotated[str, typer.Option(help="literals or packed, in the text, or buffer.")] = "literals",
    half: Annotated[bool, typer.Option("--half", help="Products of hidden layers in half precision.")] = False,
    codes: Annotated[bool, typer.Option("--codes", help="Latents of 8 or 4 bits as a texture of RGBA8.")] = False,
    prefix: Annotated[str, typer.Option(help="Of all names in the text.")] = "vd",
    cooperative: Annotated[
        bool, typer.Option("--cooperative", help="A second variant of the networks for slang and spirv.")
    ] = False,
) -> None:
    """Write an asset as a shader module, or for another tool."""
    if not files.is_asset(asset):
        raise AssetError(f"{asset}: expected a {files.ASSET_SUFFIX} file")
    from verdigris.export import package, targets
    from verdigris.export.options import Options

    package.check_folder(output)
    options = Options(weights, half, codes, prefix, cooperative)  # type: ignore[arg-type]  # checked where it is used
    targets.check(target)
    material = files.load_asset(asset)
    made = targets.make(material, target, options)
    package.write(material, target, made, output)
    size = sum(map(len, made.files.values()))
    typer.echo(f"{output}: {len(made.files) + 2} files for {made.language}, {size / 2**20:.2f} MiB")

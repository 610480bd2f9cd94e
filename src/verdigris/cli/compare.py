"""`verdigris compare`: an asset beside its reference, in numbers and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from verdigris.cli import files
from verdigris.errors import AssetError

ROWS = (
    ("FLIP", "flip", ".4f"),
    ("HDR-FLIP", "hdr_flip", ".4f"),
    ("PSNR (dB)", "psnr_db", ".2f"),
    ("relMSE", "relmse", ".4f"),
)


def compare(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="A .vdg file.")],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A .mtlx or Mitsuba .xml file, or library:NAME.")],
    material: Annotated[
        str | None, typer.Option("-m", "--material", help="Which material; default: the one that was baked.")
    ] = None,
    scene: Annotated[
        str, typer.Option(help="sphere, plane, teapot, horizon (or one @lamp, @sun), or FILE.xml.")
    ] = "sphere",
    size: Annotated[str, typer.Option(metavar="WxH", help="Picture size in pixels.")] = "512x512",
    spp: Annotated[int, typer.Option(help="Samples a pixel, of each.")] = 128,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    level: Annotated[
        float | None, typer.Option(help="Level of detail of the whole asset, 0 the finest. Default: by footprint.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for pictures, maps, numbers.")] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
    layering: Annotated[
        str | None, typer.Option(help="scale or walk: how the source's layers are combined. Default: as baked.")
    ] = None,
) -> None:
    """Render an asset and its reference and measure how far they are apart."""
    pixels = files.parse_size(size)
    if not files.is_asset(asset):
        raise AssetError(f"{asset}: expected a {files.ASSET_SUFFIX} file")
    if output is not None:
        files.output_folder(output)
    from verdigris.cli.progress import render_bar
    from verdigris.render.compare import compare as run_comparison

    neural = files.load_asset(asset)
    reference = files.reference_of(neural, source, material, root, layering)
    with render_bar() as on_progress:
        result = run_comparison(neural, reference, scene, pixels, spp, seed=seed, on_progress=on_progress, level=level)
    facts = {**result.metrics, "asset": asset, "asset_bytes": Path(asset).stat().st_size, "source": source}
    if output is not None:
        result.save(output)
    typer.echo(json.dumps(facts, indent=2, sort_keys=True) if as_json else table(facts))
    if output is not None and not as_json:
        typer.echo(f"\n{output / 'side_by_side.png'}")


def table(facts: dict[str, Any]) -> str:
    """The numbers of a comparison as lines of text."""
    lines = [f"{'':10}  {'material':>10}  {'picture':>10}"]
    for label, key, form in ROWS:
        values = (facts[part][key] for part in ("covered", "image"))
        cells = ("equal" if value is None else format(value, form) for value in values)
        lines.append(f"{label:10}  " + "  ".join(f"{cell:>10}" for cell in cells))
    lines += [
        f"reference   {facts['reference_seconds']:.1f} s for {facts['reference_spp']} samples a pixel",
        f"neural      {facts['neural_seconds']:.1f} s for {facts['spp']} samples a pixel",
        f"asset       {facts['asset_bytes']} bytes",
    ]
    return "\n".join(lines)

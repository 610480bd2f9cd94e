"""`verdigris view`: baked materials in the browser, in real time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verdigris.cli import files
from verdigris.errors import AssetError, GraphError

if TYPE_CHECKING:
    from verdigris.viewer.site import Entry


def view(
    assets: Annotated[list[str], typer.Argument(metavar="ASSET...", help="One or more .vdg files.")],
    source: Annotated[
        list[str] | None,
        typer.Option(help="What each asset was baked from, in their order. Default: library:NAME as baked."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the server; 0: a free one.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address and open no browser.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the page into this folder, for any web host, and end.")
    ] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
    layering: Annotated[
        str | None, typer.Option(help="scale or walk: how the sources' layers are combined. Default: as baked.")
    ] = None,
) -> None:
    """Turn baked materials in the browser, beside what they were baked from."""
    for asset in assets:
        if not files.is_asset(asset):
            raise AssetError(f"{asset}: expected a {files.ASSET_SUFFIX} file")
    if source and len(source) != len(assets):
        raise GraphError(f"--source: expected one for each of {len(assets)} assets, got {len(source)}")
    from verdigris.viewer.site import Site, entry_of

    loaded = [files.load_asset(asset) for asset in assets]
    sources: list[str | None] = list(source) if source else [None] * len(assets)
    loaders = [_loader(*pair, root, layering) for pair in zip(loaded, sources, strict=True)]
    entries = [
        entry_of(material, Path(asset).stem, Path(asset).stat().st_size, loader is not None)
        for material, asset, loader in zip(loaded, assets, loaders, strict=True)
    ]
    if export is not None:
        _export(entries, export)
        return
    from verdigris.viewer.reference import References
    from verdigris.viewer.run import serve
    from verdigris.viewer.server import Server

    serve(Server(Site(entries), References(loaders)), port, _announce, not no_open)


def _loader(neural: Any, source: str | None, root: list[Path] | None, layering: str | None) -> Callable[[], Any] | None:
    """What loads the reference of an asset once it is asked for; None where its source is not known."""
    recorded = str(neural.metadata.source.get("uri", ""))
    known = source or (recorded if recorded.startswith("library:") else None)
    return None if known is None else lambda: files.reference_of(neural, known, None, root, layering)


def _announce(address: str) -> None:
    typer.echo(f"viewing at {address}\nCtrl-C stops it")


def _export(entries: list[Entry], folder: Path) -> None:
    from verdigris.viewer.export import write_site
    from verdigris.viewer.site import Site

    count, size = write_site(Site(entries, live=False), files.output_folder(folder))
    typer.echo(f"{folder}: {count} files, {size / 1e6:.1f} MB")

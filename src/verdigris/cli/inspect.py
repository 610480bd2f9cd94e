"""`verdigris inspect`: what an asset or a material source holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from verdigris.cli import files

LIST_MAX = 16
"""Values of a list shown on one row; of a longer one, the first and the last."""


def inspect(
    source: Annotated[str, typer.Argument(metavar="ASSET|SOURCE", help="A .vdg, .mtlx or .xml file, or library:NAME.")],
    material: Annotated[str | None, typer.Option("-m", "--material", help="Which material of the source.")] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
    layering: Annotated[
        str | None,
        typer.Option(help="scale or walk: how the source's layers are combined. Default: walk for library:NAME."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what an asset or a source holds, once it is checked."""
    facts = _asset_facts(source) if files.is_asset(source) else _source_facts(source, material, root, layering)
    if as_json:
        typer.echo(json.dumps(facts, indent=2, sort_keys=True))
        return
    rows = list(_flatten("", facts))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:{width}}  {value}")


def _asset_facts(path: str) -> dict[str, Any]:
    from verdigris import asset

    return asset.inspect(path)


def _source_facts(source: str, material: str | None, roots: list[Path] | None, layering: str | None) -> dict[str, Any]:
    """What one material holds; of every material by name, where the document has several and none is asked for."""
    from verdigris.materials.reference import material_names

    names = [material] if material else material_names(source)
    if len(names) == 1:
        return files.load_source(source, names[0], roots, layering).describe()
    return {"materials": [files.load_source(source, name, roots, layering).describe() for name in names]}


def _flatten(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Nested JSON values as rows of dotted names; a list of plain values stays on one row."""
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _flatten(f"{prefix}.{key}" if prefix else key, inner)]
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return [row for k, inner in enumerate(value) for row in _flatten(f"{prefix}[{k}]", inner)]
    if isinstance(value, list):
        # A curve is for the eye, or for --json.
        shown = value if len(value) <= LIST_MAX else [value[0], f"... {len(value) - 2} more ...", value[-1]]
        return [(prefix, ", ".join(map(str, shown)))]
    return [(prefix, f"{value:.6g}" if isinstance(value, float) else str(value))]

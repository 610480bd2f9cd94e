"""Writes the folder of an export: files, manifest, README; whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from verdigris.errors import ExportError
from verdigris.export.options import Binding, Export
from verdigris.model.neural import NeuralMaterial

MANIFEST, README = "manifest.json", "README.md"
FORMAT = "verdigris-export"
SCHEMA = 1


def write(material: NeuralMaterial, target: str, export: Export, folder: Path) -> None:
    """Writes the folder in one step; one of an earlier export is replaced. Raises ExportError, naming the folder."""
    check_folder(folder)
    contents = {**export.files, README: readme(material, target, export).encode()}
    contents[MANIFEST] = manifest(material, target, export, contents).encode()
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.tmp")
    try:
        beside.mkdir()
        for name, content in contents.items():
            (beside / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).write_bytes(content)
        _exchange(beside, folder)
    except OSError as error:
        raise ExportError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Raises ExportError where the folder cannot be one of ours: nothing but an earlier export is ever replaced."""
    if not folder.parent.is_dir():
        raise ExportError(f"{folder}: cannot be made a folder: there is no folder {folder.parent}")
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder}: expected a folder, got a file")
    if folder.is_dir() and any(folder.iterdir()) and not _is_export(folder):
        raise ExportError(f"{folder}: expected a new folder, an empty one, or an earlier export, got other files")


def _is_export(folder: Path) -> bool:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def _exchange(beside: Path, folder: Path) -> None:
    """Puts the finished folder in its place."""
    old = folder.with_name(f"{beside.name}.old")
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(beside, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def manifest(material: NeuralMaterial, target: str, export: Export, contents: dict[str, bytes]) -> str:
    """What is in the folder, as JSON."""
    facts = {
        "format": FORMAT,
        "schema": SCHEMA,
        "target": target,
        "language": export.language,
        "name": material.metadata.name,
        "source": material.metadata.source,
        "model": asdict(material.config),
        "heads": list(material.heads),
        "levels": [{"height": level.shape[0], "width": level.shape[1]} for level in material.latents],
        "bindings": [asdict(binding) for binding in export.bindings],
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in contents.items()
        },
        **export.facts,
    }
    return json.dumps(facts, indent=2, sort_keys=True) + "\n"


def readme(material: NeuralMaterial, target: str, export: Export) -> str:
    """A page for whoever puts the files to use."""
    config = material.config
    name = material.metadata.name or "A material"
    hidden = " x ".join(map(str, config.decoder.hidden))
    lines = [
        f"# {name}, for {export.language}",
        "",
        f"A neural material of Verdigris: {len(material.latents)} levels of {config.channels} latents, the finest "
        f"{material.latents[0].shape[1]} x {material.latents[0].shape[0]}; a decoder of {hidden} units.",
        "",
        export.usage,
        "",
        *_table(export.bindings),
        export.interface,
    ]
    return "\n".join(lines).rstrip() + "\n"


def _table(bindings: Sequence[Binding]) -> list[str]:
    if not bindings:
        return []
    rows = [f"| `{b.name}` | {b.place} | {b.kind} | {f'`{b.file}`' if b.file else 'yours'} |" for b in bindings]
    return ["| name | place | type | filled with |", "|---|---|---|---|", *rows, ""]

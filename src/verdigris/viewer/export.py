"""Writes the page as files that any web host can hand out."""

from __future__ import annotations

import functools
from pathlib import Path

from verdigris.render.image import write_atomically
from verdigris.viewer.site import Site


def write_site(site: Site, folder: Path) -> tuple[int, int]:
    """Writes every file of the page; answers with how many, and their bytes. Each is whole or absent, index.html last.

    Raises RenderError naming the path that cannot be written.
    """
    resources = sorted(site.all(), key=lambda resource: (resource.path == "index.html", resource.path))
    total = 0
    for resource in resources:
        content = resource.read()
        write_atomically(folder / resource.path, functools.partial(_write, content))
        total += len(content)
    return len(resources), total


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)

"""`verdigris list`: what is built in."""

from __future__ import annotations

import typer


def list_library() -> None:
    """List the built-in materials."""
    from verdigris.materials.library import names

    for name in names():
        typer.echo(f"library:{name}")

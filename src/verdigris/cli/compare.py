"""`verdigris compare`: an asset beside its reference."""

from __future__ import annotations


def compare() -> None:
    """Compare an asset with its reference."""
    raise NotImplementedError

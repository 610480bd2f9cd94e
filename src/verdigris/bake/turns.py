"""Whose turn it is: how the steps of a phase are dealt to those who share it, textures or materials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from verdigris.conventions import Array

Indices = NDArray[np.int32]


def deal(shares: Sequence[float], steps: int) -> Indices:
    """Whose each of a phase's steps is, `[steps]`: as many as its share for each, spread evenly over the phase.

    shares: more than 0, of any sum. Counts are exact to a step, and at least 1 while there are steps enough.
    """
    counts = _counts(np.asarray(shares, np.float64), steps)
    # The j-th of n turns is due at (j + 1/2) / n of the phase; who is due at once goes in the order of the shares.
    due = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return owner[np.argsort(due, kind="stable")]


def _counts(shares: Array, steps: int) -> Indices:
    """Steps of each by largest remainders; those that would get none take one from whoever has most."""
    wanted = shares / shares.sum() * steps
    counts = np.floor(wanted).astype(np.int32)
    counts[np.argsort(counts - wanted, kind="stable")[: steps - counts.sum()]] += 1
    for poor in np.flatnonzero(counts == 0):
        rich = int(np.argmax(counts))
        if counts[rich] > 1:
            counts[[rich, poor]] += (-1, 1)
    return counts

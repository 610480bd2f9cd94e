"""The way of the light through the interfaces of a stack: what the random walk is joined to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verdigris.materials.closures.interface import Way
from verdigris.materials.random_numbers import Stream
from verdigris.materials.stack import Stack, cosine_of


@dataclass(frozen=True)
class Light:
    """The light's way inside one medium.

    up: direction of travel that ends in `wo` by transmissions alone. weight: turns a kernel times |up.z| in this medium
    into light, less what this medium takes. density: of the whole way drawn from `wo`; backward: of its transmissions
    drawn from below. Both are None where nothing is weighed against them.
    """

    up: Any
    weight: Any
    density: Any = None
    backward: Any = None


def light_path(mi: Any, dr: Any, stack: Stack, wo: Any, rng: Stream) -> list[Light]:
    """The light in each medium from the top: `wo` transmitted downwards, once through every interface."""
    found: list[Light] = []
    towards, weight = wo, mi.Vector3f(wo.z)
    density, backward = mi.Float(1), mi.Float(1)
    for k, placed in enumerate(stack.interfaces):
        drawn = placed.sample(towards, rng.next(), rng.pair(), True, Way.TRANSMIT)
        down = drawn.direction
        # K(up -> wo) = K(wo -> up) / eta^2, and the weight holds K(wo -> up) |up.z| / density.
        weight = weight * drawn.weight * (1 / placed.interface.eta**2)
        if stack.leaves:
            density = density * placed.pdf(towards, down, True, Way.TRANSMIT, Way.TRANSMIT)
            if k > 0:
                backward = backward * placed.pdf(down, towards, False, Way.TRANSMIT)
        found.append(Light(-down, weight / cosine_of(dr, down), density, backward))
        slab = stack.media[k]
        if slab is not None:
            weight = weight * dr.exp(-slab.extinction / cosine_of(dr, down))
        towards = -down
    return found

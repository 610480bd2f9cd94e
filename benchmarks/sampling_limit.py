"""Whose noise it is that a baked material adds: that of its response, or that of its sampler. Prints JSON.

    .venv/bin/python benchmarks/sampling_limit.py out/open_pbr_aluminum_brushed.vdg --references ../shared/materials

For a material that does not vary over uv. relMSE as in `sampling.py`, of every response (the reference's, the learned
one) drawn by every sampler (the reference's, the learned one, and an ideal one) over that of the reference by its own.
The ideal one draws in proportion to the luminance of the response, cosine included: one of DRAWS directions of the
material's own sampler, taken by its weight, and its density from a table of albedos. What it leaves is no sampler's.
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from samplers import noise
from sampling import RENDERS, SCENE, SIZE, SPP, reference

import verdigris
from verdigris.conventions import Array
from verdigris.render.codegen import DrjitMaterial
from verdigris.runtime import mitsuba

DRAWS = 64
TABLE, ESTIMATES = (128, 64), 4096
"""Cells of the table of albedos over the sine of theta and phi, and directions that each averages."""


class Drawn:
    """One material's response, sampled by another's sampler."""

    def __init__(self, response: Any, sampler: Any) -> None:
        self._response, self._sampler = response, sampler

    def eval_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """The response."""
        return self._response.eval_dr(uv, wi, wo)

    def sample_dr(self, uv: Any, wi: Any, u1: Any, u2: Any) -> tuple[Any, Any]:
        """A direction and its density."""
        return self._sampler.sample_dr(uv, wi, u1, u2)

    def pdf_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """The density of such a direction."""
        return self._sampler.pdf_dr(uv, wi, wo)


class Ideal:
    """Draws in proportion to a response, from candidates of a sampler that covers it."""

    def __init__(self, response: Any, sampler: Any) -> None:
        self._response, self._sampler = response, sampler
        self._mi, self._dr = mitsuba(), import_module("drjit")
        self._albedo = self._mi.Texture2f(self._mi.TensorXf(self._table()[..., None]))

    def sample_dr(self, uv: Any, wi: Any, u1: Any, u2: Any) -> tuple[Any, Any]:
        """A direction and its density."""
        mi, dr = self._mi, self._dr
        rng = mi.PCG32(
            1, mi.UInt64(dr.reinterpret_array(mi.UInt32, u1)), mi.UInt64(dr.reinterpret_array(mi.UInt32, u2.x))
        )

        def candidate(index: Any, rng: Any, total: Any, chosen: Any) -> tuple[Any, ...]:
            wo, weight = self._candidate(uv, wi, rng)
            total += weight
            taken = (weight > 0) & (rng.next_float32() * total < weight)
            return index + 1, rng, total, dr.select(taken, wo, chosen)

        start = (mi.UInt32(0), rng, mi.Float(0), mi.Vector3f(0, 0, 1))
        _, _, total, wo = dr.while_loop(start, lambda index, *_: index < DRAWS, candidate, mode="symbolic")
        return wo, dr.select(total > 0, self.pdf_dr(uv, wi, wo), 0)

    def pdf_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """The response over its integral."""
        mi, dr = self._mi, self._dr
        rows, columns = TABLE
        sine, phi = dr.safe_sqrt(1 - wi.z * wi.z), dr.atan2(wi.y, wi.x) / dr.two_pi
        # Of cells that end at a row each, but go round in phi.
        at = mi.Point2f(((phi - dr.floor(phi)) * columns + 0.5) / (columns + 1), (sine * (rows - 1) + 0.5) / rows)
        albedo = self._albedo.eval(at)[0]
        return dr.select((wi.z > 0) & (wo.z > 0), self._brightness(uv, wi, wo) / dr.maximum(albedo, 1e-6), 0)

    def _candidate(self, uv: Any, wi: Any, rng: Any) -> tuple[Any, Any]:
        """A direction of the sampler, and its weight."""
        mi, dr = self._mi, self._dr
        u1, u2 = rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32())
        wo, pdf = self._sampler.sample_dr(uv, wi, u1, u2)
        return wo, dr.select(pdf > 0, self._brightness(uv, wi, wo) / pdf, 0)

    def _brightness(self, uv: Any, wi: Any, wo: Any) -> Any:
        return self._mi.luminance(self._response.eval_dr(uv, wi, wo))

    def _table(self) -> Array:
        """Albedos, in luminance, `[rows, columns + 1]`, the last column as the first."""
        mi, dr = self._mi, self._dr
        rows, columns = TABLE
        sine = np.minimum(np.arange(rows) / (rows - 1), 0.9999)
        phi = np.arange(columns) / columns * 2 * np.pi
        axes = sine[:, None] * np.cos(phi), sine[:, None] * np.sin(phi), np.sqrt(1 - sine**2)[:, None]
        wi = np.stack(np.broadcast_arrays(*axes))
        known = mi.Vector3f(wi.reshape(3, -1).astype(np.float32))
        rng, total = mi.PCG32(rows * columns), dr.zeros(mi.Float, rows * columns)

        def add(index: Any, rng: Any, total: Any) -> tuple[Any, ...]:
            return index + 1, rng, total + self._candidate(mi.Point2f(0.5), known, rng)[1]

        start = (dr.zeros(mi.UInt32, rows * columns), rng, total)
        _, _, total = dr.while_loop(start, lambda index, *_: index < ESTIMATES, add, mode="symbolic")
        found = np.array(total).reshape(rows, columns) / ESTIMATES
        return np.concatenate([found, found[:, :1]], axis=1).astype(np.float32)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asset", type=Path)
    parser.add_argument("--references", type=Path, help="folder of the documents that are not built in")
    options = parser.parse_args()
    material = verdigris.load(options.asset)
    height, width = material.latents[0].shape[:2]
    if height * width > 1:
        parser.error(f"asset: expected a material that does not vary over uv, got {width} x {height} texels")
    responses = {"reference": reference(material, options.references), "learned": DrjitMaterial(material)}
    found = {
        f"{whose} response": {
            **{f"{drawn} sampler": relmse(Drawn(response, sampler)) for drawn, sampler in responses.items()},
            "ideal sampler": relmse(Drawn(response, Ideal(response, responses["learned"]))),
        }
        for whose, response in responses.items()
    }
    own = found["reference response"]["reference sampler"]
    print(
        json.dumps(
            {
                "relmse": own,
                "over_it": {
                    whose: {drawn: round(value / own, 2) for drawn, value in row.items()}
                    for whose, row in found.items()
                },
            },
            indent=1,
        )
    )


def relmse(material: Any) -> float:
    """Of 16 samples a pixel."""
    return noise(material, SCENE, SIZE, SPP, RENDERS)[0]


if __name__ == "__main__":
    main()

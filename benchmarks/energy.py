"""Measures the energy of baked materials: directional albedo beside the reference's, and a closed furnace. Prints JSON.

    .venv/bin/python benchmarks/energy.py out/quality/*.vdg --references ../shared/materials --out out/energy
    .venv/bin/python benchmarks/energy.py --white --out out/energy

albedo: of both materials at random texels of the latents and views (uniform in theta), over the texel, by the same
directions, drawn half by the reference's sampler and half by the asset's. An excess is that of the channel in which it
is largest. within_bound: share of the pairs; surely_beyond: of those whose excess is beyond by its standard error too.
furnace: what 1 is after so many bounces inside of a sphere of the material (`verdigris.bake.furnace`), in the channel
that keeps most.
--white: bakes materials that absorb nothing, the hardest case for the furnace, and measures them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from decoder_choices import keep

import verdigris
from verdigris.bake import BakeConfig, bake, furnace
from verdigris.conventions import Array
from verdigris.materials.reference import load_reference
from verdigris.render.codegen import DrjitMaterial
from verdigris.runtime import mitsuba

BOUND = 0.02
"""Largest excess of the directional albedo that was asked for."""

AT_ONCE = 32
"""Directions of each pair in one kernel."""

WHITE = {
    "lambert": '<oren_nayar_diffuse_bsdf name="B" type="BSDF">{white}</oren_nayar_diffuse_bsdf>',
    "metal": '<generalized_schlick_bsdf name="B" type="BSDF">{mirror}{rough}</generalized_schlick_bsdf>',
    "coated": '<oren_nayar_diffuse_bsdf name="base" type="BSDF">{white}</oren_nayar_diffuse_bsdf>'
    '<dielectric_bsdf name="top" type="BSDF"><input name="ior" type="float" value="1.5" />{rough}</dielectric_bsdf>'
    '<layer name="B" type="BSDF"><input name="top" type="BSDF" nodename="top" />'
    '<input name="base" type="BSDF" nodename="base" /></layer>',
}
"""Closures that absorb nothing; where there is a width, it is the texture coordinate u, from 0 to 1."""

_DOCUMENT = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
<texcoord name="uv" type="vector2" />
<extract name="u" type="float"><input name="in" type="vector2" nodename="uv" /></extract>
<combine2 name="rough" type="vector2"><input name="in1" type="float" nodename="u" />
<input name="in2" type="float" nodename="u" /></combine2>{body}
<surface name="S" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="B" /></surface>
<surfacematerial name="{name}" type="material"><input name="surfaceshader" type="surfaceshader" nodename="S" />
</surfacematerial></materialx>
"""
_PARTS = {
    "white": '<input name="color" type="color3" value="1,1,1" /><input name="weight" type="float" value="1" />',
    "mirror": "".join(f'<input name="color{at}" type="color3" value="1,1,1" />' for at in (0, 82, 90)),
    "rough": '<input name="roughness" type="vector2" nodename="rough" />',
}


@dataclass(frozen=True)
class Pair:
    """A baked material, traced, and its reference. side: of the latents' texture, in texels."""

    neural: Any
    reference: Any
    side: int

    @staticmethod
    def of(material: Any, reference: Any) -> Pair:
        """A material's pair, its latents square."""
        return Pair(DrjitMaterial(material), reference, material.latents[0].shape[0])


def albedos(pair: Pair, uv: Array, wi: Array, samples: int, seed: int) -> dict[str, Array]:
    """Directional albedos of the texels whose lower left corners are `uv` `[n, 2]` at views `[n, 3]`, `[n, 3]` each,
    and the standard error of their difference. samples: directions a pair, a multiple of AT_ONCE."""
    mi, dr = _modules()
    at, known = mi.Point2f(np.ascontiguousarray(uv.T)), mi.Vector3f(np.ascontiguousarray(wi.T))
    dr.make_opaque(at, known)
    which = dr.arange(mi.UInt32, len(uv) * AT_ONCE)
    index, by_reference = which // AT_ONCE, which % 2 == 0
    sums = {name: np.zeros((3, len(uv))) for name in ("neural", "reference", "square")}
    for round_ in range(samples // AT_ONCE):
        rng = mi.PCG32(len(uv) * AT_ONCE, dr.opaque(mi.UInt64, seed + round_))
        here = dr.gather(mi.Point2f, at, index) + mi.Point2f(rng.next_float32(), rng.next_float32()) / pair.side
        view = dr.gather(mi.Vector3f, known, index)
        u1, u2 = rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32())
        drawn = [material.sample_dr(here, view, u1, u2) for material in (pair.reference, pair.neural)]
        wo, pdf = (dr.select(by_reference, a, b) for a, b in zip(*drawn, strict=True))
        valid = (pdf > 0) & (wo.z > 0)
        wo = dr.select(valid, wo, view)
        density = 0.5 * (pair.reference.pdf_dr(here, view, wo) + pair.neural.pdf_dr(here, view, wo))
        weight = dr.select(valid, 1 / density, 0)
        learned, true = pair.neural.eval_dr(here, view, wo) * weight, pair.reference.eval_dr(here, view, wo) * weight
        found = (learned, true, dr.square(learned - true))
        blocks = [[dr.block_sum(channel, AT_ONCE) for channel in color] for color in found]
        dr.eval(blocks)
        for name, block in zip(sums, blocks, strict=True):
            sums[name] += np.array([np.array(channel) for channel in block])
    means = {name: (total / samples).T for name, total in sums.items()}
    difference = means["neural"] - means["reference"]
    error = np.sqrt(np.maximum(means.pop("square") - difference**2, 0) / samples)
    return {**means, "error": error}


def albedo_numbers(pair: Pair, pairs: int, samples: int, seed: int) -> dict[str, Any]:
    """How far the baked material's directional albedo exceeds the reference's."""
    rng = np.random.default_rng(seed)
    uv, u = rng.integers(pair.side, size=(pairs, 2)).astype(np.float32) / pair.side, rng.random((pairs, 2))
    theta, phi = 0.5 * np.pi * u[:, 0], 2 * np.pi * u[:, 1]
    wi = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)
    found = albedos(pair, uv, np.maximum(wi, [-1, -1, 1e-4]).astype(np.float32), samples, seed)
    difference = found["neural"] - found["reference"]
    channel = difference.argmax(axis=1)[:, None]
    excess, error = (np.take_along_axis(part, channel, axis=1)[:, 0] for part in (difference, found["error"]))
    energy, true = found["neural"].mean(), found["reference"].mean()
    quantiles = {f"excess_{q}": float(np.quantile(excess, q / 100)) for q in (50, 95, 99)}
    return {
        "pairs": pairs,
        "directions": samples,
        "reference_mean": rounded(true),
        "neural_mean": rounded(energy),
        "neural_over_reference": rounded(energy / true),
        "neural_max": rounded(found["neural"].max()),
        "reference_max": rounded(found["reference"].max()),
        "within_bound": rounded((excess <= BOUND).mean()),
        "surely_beyond": rounded((excess - 1.645 * error > BOUND).mean()),
        **{name: rounded(value) for name, value in quantiles.items()},
        "excess_max": rounded(excess.max()),
        "standard_error": rounded(np.median(error)),
    }


def sampled(material: Any) -> furnace.Sample:
    """A traced material's sampler on NumPy arrays."""
    mi, dr = _modules()

    def sample(uv: Array, wi: Array, u: Array) -> tuple[Array, Array, Array]:
        at, view, numbers = (np.ascontiguousarray(part.T) for part in (uv, wi, u))
        at, view = mi.Point2f(at), mi.Vector3f(view)
        wo, pdf = material.sample_dr(at, view, mi.Float(numbers[0]), mi.Point2f(numbers[1:]))
        valid = (pdf > 0) & (wo.z > 0)
        value = material.eval_dr(at, view, dr.select(valid, wo, view))
        weight = dr.select(valid, value / dr.select(valid, pdf, 1), 0)
        dr.eval(wo, pdf, weight)
        return np.array(wo).T, np.array(pdf), np.array(weight).T

    return sample


def furnace_numbers(pair: Pair, paths: int, seed: int) -> dict[str, Any]:
    """Energy in the furnace of both materials."""
    rows: dict[str, Any] = {"paths": paths, "bounces": furnace.BOUNCES}
    for name, material in (("reference", pair.reference), ("neural", pair.neural)):
        energy = furnace.energy(sampled(material), np.random.default_rng(seed), paths=paths).max(axis=1)
        rows[name] = {f"after_{bounces}": rounded(energy[bounces - 1]) for bounces in (1, 8, 64)}
        rows[name]["largest"] = rounded(energy.max())
    return rows


def rounded(value: Any) -> float:
    """Four digits."""
    return float(f"{value:.4g}")


def _modules() -> tuple[Any, Any]:
    mi = mitsuba()
    import drjit as dr

    return mi, dr


def assets(options: argparse.Namespace) -> Iterator[tuple[str, Pair]]:
    """The files that are given, each with the reference that it names."""
    for path in options.assets:
        neural = verdigris.load(path)
        source = neural.metadata.source
        uri, layering = source["uri"], source.get("layering")
        at = uri if uri.startswith("library:") else str(options.references / uri)
        yield path.name.removesuffix(".vdg"), Pair.of(neural, load_reference(at, source["material"], layering=layering))


def white(options: argparse.Namespace) -> Iterator[tuple[str, Pair]]:
    """Bakes of materials that absorb nothing."""
    config = BakeConfig(
        "white", resolution=64, encode_samples=options.samples // 6, tune_samples=options.samples * 5 // 6,
        uniform_samples=options.samples, auxiliary_samples=0,
    )  # fmt: skip
    for name, body in WHITE.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.mtlx"
            path.write_text(_DOCUMENT.format(name=name, body=body.format(**_PARTS)))
            reference = load_reference(path, layering="walk")
        yield f"white_{name}", Pair.of(bake(reference, config), reference)


def main() -> None:
    """Measures what is not measured yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assets", type=Path, nargs="*", help="baked materials")
    parser.add_argument("--references", type=Path, help="folder of the documents that they were baked from")
    parser.add_argument("--white", action="store_true", help="also bake and measure white materials")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--directions", type=int, default=4096, help="of each pair")
    parser.add_argument("--paths", type=int, default=1 << 19, help="of the furnace")
    parser.add_argument("--samples", type=int, default=12_000_000, help="queries that a white bake learns from")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = {}
    for name, pair in [*assets(options), *(white(options) if options.white else ())]:
        kept = options.out / f"{name}.json"
        if not kept.is_file():
            row = {"albedo": albedo_numbers(pair, options.pairs, options.directions, 1)}
            row["furnace"] = furnace_numbers(pair, options.paths, 2)
            keep(kept, row)
            print(f"{name}: {json.dumps(row)}", file=sys.stderr, flush=True)
        table[name] = json.loads(kept.read_text())
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()

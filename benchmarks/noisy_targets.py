"""Bakes walked materials from targets of 1 to 8 estimates at equal processor time, and measures what their noise does.

    .venv/bin/python benchmarks/noisy_targets.py --out out/noisy

Each count of estimates (0: as many as the bake itself chooses) is tried with `loss` to the end (`loss_alone`) and with
a last `settle_share` of the fine-tuning that seeks the mean (`settled`). Samples are what `--seconds` of processor time
pay for, by the cost of a chunk measured beforehand. Errors are against a reference that averages CONVERGED estimates.
energy: learned over true, the mean over directions weighted as in a bake's report; cosine: the same over
cosine-distributed directions. control: the material with its layers scaled, whose targets are exact, with its own
truth. What is in `--out` is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from decoder_choices import keep

from verdigris.bake import BakeConfig, bake, metrics
from verdigris.bake.queries import QuerySource
from verdigris.conventions import Array
from verdigris.materials.reference import load_reference

CONVERGED = 64
SETTLE_SHARES = (0.0, 0.3)
QUERIES = 20_000
"""Of each kind, to measure by."""

TIMED = (2, 6)
"""Chunks of the two bakes whose difference tells a chunk's cost."""

COAT = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
<texcoord name="uv" type="vector2" />
<extract name="u" type="float"><input name="in" type="vector2" nodename="uv" /></extract>
<combine2 name="rough" type="vector2"><input name="in1" type="float" nodename="u" />
<input name="in2" type="float" nodename="u" /></combine2>
<oren_nayar_diffuse_bsdf name="base" type="BSDF"><input name="color" type="color3" value="0.7,0.4,0.2" />
<input name="weight" type="float" value="1" /></oren_nayar_diffuse_bsdf>
<dielectric_bsdf name="top" type="BSDF"><input name="ior" type="float" value="1.5" />
<input name="roughness" type="vector2" nodename="rough" /></dielectric_bsdf>
<layer name="B" type="BSDF"><input name="top" type="BSDF" nodename="top" />
<input name="base" type="BSDF" nodename="base" /></layer>
<surface name="S" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="B" /></surface>
<surfacematerial name="coat" type="material"><input name="surfaceshader" type="surfaceshader" nodename="S" />
</surfacematerial></materialx>
"""
"""A dielectric over a diffuse base; its GGX width is the texture coordinate u, from 0 to 1."""

Truth = dict[str, tuple[Array, ...]]


def load(name: str, layering: str) -> Any:
    """A material: `coat`, or a name that `load_reference` takes."""
    if name != "coat":
        return load_reference(name, layering=layering)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coat.mtlx"
        path.write_text(COAT)
        return load_reference(path, layering=layering)


def truth(reference: Any) -> Truth:
    """Queries of each kind: uv, wi, wo, the converged response and the density of wo."""
    found = {}
    for index, (kind, mix) in enumerate(metrics.KINDS.items()):
        uv = np.random.default_rng(index).random((QUERIES, 2), dtype=np.float32)
        queries = QuerySource(reference.averaging(CONVERGED), mix).directions(uv[:, 0], uv[:, 1], index)
        found[kind] = (uv, *queries.numpy())
    return found


def errors(material: Any, true: Truth) -> dict[str, float]:
    """Power-L1 over all kinds, and the energy by two of them."""
    learned = {kind: material.eval(uv, wi, wo) for kind, (uv, wi, wo, _, _) in true.items()}
    _, _, wo, sampled, pdf = true["sampled"]
    weight = metrics.inverse_density(wo, pdf)[:, None]
    both = (np.concatenate(list(learned.values())), np.concatenate([row[3] for row in true.values()]))
    return {
        "power_l1": metrics.power_l1(*both),
        "energy": float((learned["sampled"] * weight).mean() / (sampled * weight).mean()),
        "cosine": float(learned["cosine"].mean() / true["cosine"][3].mean()),
    }


def settings(options: argparse.Namespace, samples: float, **changes: Any) -> BakeConfig:
    """A bake's settings, shares of the phases as in the presets."""
    return BakeConfig(
        preset="noisy",
        resolution=options.resolution,
        encode_samples=max(round(samples / 6), 1),
        tune_samples=max(round(samples * 5 / 6), 1),
        uniform_samples=round(samples),
        auxiliary_samples=0,
        report_samples=3000,
        **changes,
    )


def chunk_seconds(reference: Any, options: argparse.Namespace, estimates: int) -> float:
    """Processor seconds of a chunk of the fine-tuning; the first bake compiles."""
    spent = []
    for chunks in (1, *TIMED):
        config = settings(options, 1, estimates=estimates)
        config = settings(options, 1.2 * chunks * config.chunk, estimates=estimates)
        start = time.process_time()
        bake(reference, config)
        spent.append(time.process_time() - start)
    return (spent[2] - spent[1]) / (TIMED[1] - TIMED[0]) / 1.2


def measured(reference: Any, true: Truth, options: argparse.Namespace, estimates: int) -> dict[str, Any]:
    """Errors with and without a last part that seeks the mean, means over the seeds."""
    samples = options.seconds / chunk_seconds(reference, options, estimates) * settings(options, 1).chunk
    rows: dict[str, Any] = {"samples": round(samples * 1e-6, 1)}
    for share in SETTLE_SHARES:
        runs, seconds = [], []
        for seed in range(options.seeds):
            start = time.process_time()
            material = bake(reference, settings(options, samples, estimates=estimates, seed=seed, settle_share=share))
            seconds.append(time.process_time() - start)
            runs.append(errors(material, true))
            rows["estimates"] = material.metadata.report["estimates"]
        row = {key: rounded([run[key] for run in runs]) for key in runs[0]}
        rows["settled" if share else "loss_alone"] = row | {"cpu_seconds": rounded(seconds)}
    return rows


def rounded(values: Sequence[float]) -> float:
    """Their mean, in four digits."""
    return float(f"{np.mean(values):.4g}")


def kept(path: Path, measure: Any) -> Any:
    """What a file holds; measured now where there is none."""
    if not path.is_file():
        result = measure()
        keep(path, result)
        print(f"{path.stem}: {json.dumps(result)}", file=sys.stderr, flush=True)
    return json.loads(path.read_text())


def main() -> None:
    """Runs what is not done yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--materials", nargs="+", default=["coat", "library:ceramic_teapot@256"], metavar="NAME")
    parser.add_argument("--estimates", type=int, nargs="+", default=[1, 2, 4, 8, 0])
    parser.add_argument("--seconds", type=float, default=12.0, help="processor time of a bake's training")
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {}
    for name in options.materials:
        table[name] = {}
        for layering, counts in (("walk", options.estimates), ("scale", [1])):
            reference = load(name, layering)
            true = truth(reference)
            for count in counts:
                label = "control" if layering == "scale" else str(count or "auto")
                path = options.out / f"{name.replace(':', '_')}.{label}.json"
                table[name][label] = kept(path, partial(measured, reference, true, options, count))
    facts = {key: getattr(options, key) for key in ("seconds", "resolution", "seeds")}
    print(json.dumps({**facts, "converged": CONVERGED, "materials": table}, indent=1))


if __name__ == "__main__":
    main()

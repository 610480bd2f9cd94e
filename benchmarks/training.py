"""Measures what the training is made of: starts, encoder, frames, loop. Prints JSON.

    .venv/bin/python benchmarks/training.py ../shared/materials --out out/training --parts lottery encoder frames loop

lottery: single trainings of many seeds, beside several instances of which the best goes on, for the same samples; and
beside the best of as many single trainings that share these samples.
encoder: fine-tuning after an encoder, beside fine-tuning from random texels, both in a bake of `--seconds`.
frames: two learned frames, beside none and a decoder of at least as many numbers.
loop: samples a second of a whole bake's loop, beside those of its step on queries that are made already.

Errors are power-L1 on queries that no training has seen. Budgets are small, so their errors are not those of the
presets.
Every result is kept in `--out`: a run that was stopped goes on. Let nothing else run meanwhile where time matters: in
all but the lottery's and the frames' errors.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from decoder_choices import keep

from verdigris.bake import BakeConfig, Job, Progress, bake
from verdigris.bake.encoder import Encoded, encode_phase, stacked
from verdigris.bake.phases import Phase, Span, Texture, optimiser_state, texture_state, tune_phase
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import init_layers, init_network
from verdigris.materials.reference import load_reference
from verdigris.model import DecoderConfig, ModelConfig

MATERIALS = {
    "inkwell_brass": ("library:inkwell_brass@512", None),
    "slicer_handle": ("library:slicer_handle@512", None),
    "king_black": ("standard_surface_chess_pieces.mtlx", "M_King_B"),
    "car_paint": ("open_pbr_carpaint.mtlx", None),
}
"""(source, material); documents lie in the folder that is given. All are scaled, not walked: free of noise."""

LOTTERY = ("car_paint", "inkwell_brass", "king_black")
ENCODER = ("inkwell_brass", "king_black")
FRAMES = ("king_black", "slicer_handle")
RESOLUTION = 256
ENCODE_SHARE = 1 / 6
"""Of the samples, as in the presets."""

WIDE_ENOUGH = (36, 36)
"""Hidden units with which a decoder without learned frames holds as many numbers as the default one with its frames."""

Measured = dict[str, Any]


class Bench:
    """The options, the materials loaded so far and the results kept so far."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self._references: dict[str, Any] = {}

    def reference(self, name: str) -> Any:
        """A material, loaded once."""
        if name not in self._references:
            source, material = MATERIALS[name]
            path = source if source.startswith("library:") else str(self.options.folder / source)
            self._references[name] = load_reference(path, material, layering="scale")
        return self._references[name]

    def kept(self, key: str, measure: Callable[[], Measured]) -> Measured:
        """What is kept under a name; measured now where nothing is."""
        path = self.options.out / f"{key}.json"
        if not path.is_file():
            result = measure()
            keep(path, result)
            print(f"{key}: {json.dumps(result)}", file=sys.stderr, flush=True)
        found: Measured = json.loads(path.read_text())
        return found


def settings(samples: int, **changes: Any) -> BakeConfig:
    """A bake of that many samples, split as the presets split theirs."""
    encoded = round(samples * ENCODE_SHARE)
    base = BakeConfig(
        preset="benchmark",
        resolution=RESOLUTION,
        encode_samples=encoded,
        tune_samples=samples - encoded,
        uniform_samples=samples,
        auxiliary_samples=0,
    )
    return replace(base, **changes)


def baked(reference: Any, config: BakeConfig, seconds: float | None = None) -> Measured:
    """Held-out errors, samples learned from and seconds of one bake, which may have only `seconds`."""
    start = time.monotonic()
    material = bake(reference, config, job=Job(deadline=None if seconds is None else start + seconds))
    report = material.metadata.report
    numbers = sum(array.size for layer in material.layers for array in layer)
    numbers += 0 if material.frame_weight is None else material.frame_weight.size
    return {
        "power_l1": float(f"{report['power_l1']:.5g}"),
        "samples": report["training_samples"],
        "seconds": round(time.monotonic() - start, 2),
        "numbers": numbers,
    }


def lottery(bench: Bench) -> Measured:
    """Errors of single seeds and of several instances, by material."""
    options, table = bench.options, {}
    for name in options.materials or LOTTERY:

        def runs(instances: int, seeds: int, samples: int, name: str = name) -> list[Measured]:
            found = []
            for seed in range(seeds):
                config = settings(samples, seed=seed, batch=2048, chunk_steps=32, instances=instances)
                key = f"lottery.{name}.{samples}.{instances}.{seed}"
                found.append(bench.kept(key, partial(baked, bench.reference(name), config)))
            return found

        rows = {1: runs(1, options.seeds, options.samples)}
        rows |= {n: runs(n, options.repeats, options.samples) for n in options.instances}
        singles = np.sort([run["power_l1"] for run in rows[1]])
        row = {
            "best": singles[0],
            "median": float(f"{np.median(singles):.5g}"),
            "worst": singles[-1],
            "median_over_best": round(float(np.median(singles) / singles[0]), 3),
            "worst_over_best": round(float(singles[-1] / singles[0]), 3),
            "seconds": middle(rows[1], "seconds"),
        }
        for instances in options.instances:
            errors = np.array([run["power_l1"] for run in rows[instances]])
            shared = min(run["power_l1"] for run in runs(1, instances, options.samples // instances))
            row[f"{instances}_instances"] = {
                "power_l1": [float(error) for error in errors],
                "mean_over_best": round(float(errors.mean() / singles[0]), 3),
                "worst_over_best": round(float(errors.max() / singles[0]), 3),
                "best_of_as_many_sharing_the_samples": shared,
                "mean_over_sharing": round(float(errors.mean() / shared), 3),
                "mean_over_median": round(float(errors.mean() / np.median(singles)), 3),
                "seconds": middle(rows[instances], "seconds"),
            }
        table[name] = row
    return table


def middle(runs: list[Measured], key: str) -> float:
    """The median of a number over runs."""
    return round(float(np.median([run[key] for run in runs])), 2)


class WithoutParameters:
    """A material that does not say what it varies by, so that nothing can be encoded."""

    parameter_count = 0

    def __init__(self, reference: Any):
        self._reference = reference

    def averaging(self, estimates: int) -> WithoutParameters:
        """As a reference's."""
        return WithoutParameters(self._reference.averaging(estimates))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reference, name)


def encoder(bench: Bench) -> Measured:
    """Errors with an encoder and from random texels, by material; both were compiled in an earlier bake."""
    seconds, table = bench.options.seconds, {}
    for name in bench.options.materials or ENCODER:
        rows: dict[str, list[Measured]] = {"encoder": [], "random": []}
        for seed in range(bench.options.repeats):
            config = settings(1_000_000_000, seed=seed)
            for kind, runs in rows.items():

                def measure(name: str = name, kind: str = kind, config: BakeConfig = config) -> Measured:
                    reference = bench.reference(name)
                    reference = reference if kind == "encoder" else WithoutParameters(reference)
                    baked(reference, replace(config, encode_samples=1, tune_samples=1, uniform_samples=1))
                    return baked(reference, config, seconds)

                runs.append(bench.kept(f"encoder.{name}.{seconds:g}.{kind}.{seed}", measure))
        means = {kind: float(np.mean([run["power_l1"] for run in runs])) for kind, runs in rows.items()}
        samples = {f"{kind}_samples": middle(runs, "samples") for kind, runs in rows.items()}
        factor = round(means["random"] / means["encoder"], 2)
        table[name] = {**{kind: float(f"{mean:.4g}") for kind, mean in means.items()}, "factor": factor, **samples}
    return table


def frames(bench: Bench) -> Measured:
    """Errors with two learned frames and with none, by material."""
    models = {"2": ModelConfig(), "0": ModelConfig(frames=0, decoder=DecoderConfig(hidden=WIDE_ENOUGH))}
    options, table = bench.options, {}
    for name in options.materials or FRAMES:
        rows = {}
        for count, model in models.items():
            runs = []
            for seed in range(options.repeats):
                config = settings(options.frame_samples, seed=seed, model=model)
                key = f"frames.{name}.{options.frame_samples}.{count}.{seed}"
                runs.append(bench.kept(key, partial(baked, bench.reference(name), config)))
            rows[count] = runs
        means = {count: float(np.mean([run["power_l1"] for run in runs])) for count, runs in rows.items()}
        numbers = {f"{count}_frames_numbers": runs[0]["numbers"] for count, runs in rows.items()}
        better = round(1.0 - means["2"] / means["0"], 3)
        table[name] = {f"{count}_frames": float(f"{mean:.4g}") for count, mean in means.items()}
        table[name] |= {"error_less_by": better, **numbers}
    return table


def loop(bench: Bench) -> Measured:
    """Millions of samples a second of a bake's loop, and of its steps on one chunk of queries, by phase."""

    def measure() -> Measured:
        reference = bench.reference("inkwell_brass")
        config = settings(bench.options.loop_samples)
        source = QuerySource(reference, config.mix)
        ready = {phase.name: (phase, state) for phase, state in phases(source, config)}
        # Before and after the loop, since other work may come and go.
        before = {name: step_seconds(*one) for name, one in ready.items()}
        looped = loop_seconds(reference, config)
        after = {name: step_seconds(*one) for name, one in ready.items()}
        rows: Measured = {}
        for name in ready:
            step = 0.5 * (before[name] + after[name])
            rates = {"loop": config.chunk / looped[name] * 1e-6, "step": config.chunk / step * 1e-6}
            rows[name] = {kind: round(rate, 2) for kind, rate in rates.items()} | {
                "ratio": round(step / looped[name], 2)
            }
        return rows

    return {"inkwell_brass": bench.kept(f"loop.inkwell_brass.{bench.options.loop_samples}", measure)}


def phases(source: QuerySource, config: BakeConfig) -> Iterator[tuple[Phase, Any]]:
    """Both phases with a random state each; its numbers do not matter to its time."""
    rng, channels = np.random.default_rng(0), config.model.channels
    network, inputs = init_network(config.model, rng), source.reference.parameter_count
    layers = init_layers((inputs, 64, 64, channels), rng)
    scale = (np.zeros(inputs, np.float32), np.ones(inputs, np.float32))
    encode = encode_phase(config, [Encoded(source, scale)], config.encode_samples)
    yield encode, {"network": optimiser_state(network), "encoders": stacked([layers])}
    latents = rng.normal(0.0, 0.1, (channels, config.resolution, config.resolution)).astype(np.float32)
    tune = tune_phase(config, [source], [Texture(config.resolution)], config.tune_samples)
    yield tune, {"network": optimiser_state(network), "textures": [texture_state(jax.numpy.asarray(latents))]}


def step_seconds(phase: Phase, state: Any, chunks: int = 6) -> float:
    """Mean seconds of a chunk whose queries are there; the first, which compiles, does not count."""
    state, queries = jax.tree.map(jax.numpy.copy, state), phase.prepare(0)
    span = Span(*map(np.float32, (0.0, 1.0, 1.0)))
    start = 0.0
    for chunk in range(chunks + 1):
        state, losses = phase.advance(state, span, *queries)
        jax.block_until_ready(losses)
        start = start if chunk else time.perf_counter()
    return (time.perf_counter() - start) / chunks


def loop_seconds(reference: Any, config: BakeConfig) -> dict[str, float]:
    """Mean seconds of a chunk of each phase in a bake, all that is done beside its steps included; not the first."""
    times: dict[str, list[float]] = {}

    def on_progress(now: Progress) -> None:
        times.setdefault(now.phase, []).append(now.seconds)

    bake(reference, config, on_progress)
    return {name: (ends[-1] - ends[0]) / (len(ends) - 1) for name, ends in times.items() if len(ends) > 1}


PARTS: dict[str, Callable[[Bench], Measured]] = {
    "lottery": lottery,
    "encoder": encoder,
    "frames": frames,
    "loop": loop,
}


def main() -> None:
    """Runs what is not done yet, and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME")
    parser.add_argument("--materials", nargs="+", choices=MATERIALS, metavar="NAME", help="default: each part's own")
    parser.add_argument("--samples", type=int, default=8_000_000, help="of a bake of the lottery")
    parser.add_argument("--seeds", type=int, default=16, help="single trainings of the lottery")
    parser.add_argument("--instances", type=int, nargs="+", default=[4, 16], help="of the lottery")
    parser.add_argument("--repeats", type=int, default=2, help="seeds of all other bakes")
    parser.add_argument("--seconds", type=float, default=25.0, help="of a bake with or without encoder")
    parser.add_argument("--frame-samples", type=int, default=10_000_000, help="of a bake with or without frames")
    parser.add_argument("--loop-samples", type=int, default=36_000_000, help="of the bake whose loop is timed")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(options)
    report: Measured = {"device": {"cpu_count": os.cpu_count()}, "resolution": RESOLUTION}
    for name in options.parts:
        report[name] = PARTS[name](bench)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

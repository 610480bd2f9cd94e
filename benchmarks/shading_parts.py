"""What a hit's shading is made of: operations of the kernels, and nanoseconds of one core, beside two bounds.

The bounds are those of the same run: what a matrix product reaches (NumPy, 2048 x 2048), and the rate at which memory
is copied. `multiply_adds` are those of the networks alone. `bytes`: what a query reads and writes, arrays and texels.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from verdigris.model import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.plugin import make_bsdf
from verdigris.runtime import mitsuba

QUERIES = 1 << 19
MATRIX, COPIED = 2048, 1 << 26
TEXEL_BYTES = 4 * 16
"""Four texels of eight halves."""
Run = Callable[[], Any]


def measured(materials: dict[str, NeuralMaterial], repeats: int) -> dict[str, Any]:
    """For each material the parts of a hit, and the bounds of the run."""
    mi = mitsuba()
    import drjit as dr

    dr.set_thread_count(1)
    source = np.ones(COPIED // 4, np.float32)
    matrix, target = source[: MATRIX**2].reshape(MATRIX, MATRIX), np.empty_like(source)
    si, wo, lobe, direction = _hits(mi, dr)
    plastic = mi.load_dict({"type": "roughplastic"})
    runs: dict[str, Run] = {
        "gemm": lambda: matrix @ matrix,
        "copy": lambda: np.copyto(target, source),
        "roughplastic": lambda: plastic.eval_pdf_sample(mi.BSDFContext(), si, wo, lobe, direction),
    }
    kept = {name: make_bsdf(DrjitMaterial(material)) for name, material in materials.items()}
    for name, bsdf in kept.items():
        runs |= {f"{name} {part}": run for part, run in _parts(mi, bsdf, si, wo, lobe, direction).items()}
    operations = {name: _operations(dr, run) for name, run in runs.items() if name not in ("gemm", "copy")}
    seconds = _by_turns(dr, runs, repeats)
    found: dict[str, Any] = {
        "gemm_gflops": round(2 * MATRIX**3 / seconds["gemm"] / 1e9, 1),
        "copy_gbytes": round(2 * COPIED / seconds["copy"] / 1e9, 2),
        "roughplastic_ns": _ns(seconds["roughplastic"]),
    }
    for name, material in materials.items():
        work = _multiply_adds(material)
        found[name] = {
            part: {
                "ns": _ns(seconds[f"{name} {part}"]),
                "operations": operations[f"{name} {part}"],
                "multiply_adds": work[part],
                "bytes": size,
                "of_gemm": round(2 * work[part] * QUERIES / seconds[f"{name} {part}"] / 1e9 / found["gemm_gflops"], 3),
            }
            for part, size in BYTES.items()
        }
    return found


BYTES = {
    "latent": 24 + TEXEL_BYTES + 32,
    "frames": 24 + TEXEL_BYTES + 72,
    "eval": 48 + TEXEL_BYTES + 12,
    "pdf": 48 + TEXEL_BYTES + 4,
    "sample": 48 + TEXEL_BYTES + 44,
    "eval_pdf_sample": 60 + TEXEL_BYTES + 60,
}


def _hits(mi: Any, dr: Any) -> tuple[Any, Any, Any, Any]:
    """Neighbouring hits at all levels, in arrays: the hit, a light's direction, and the numbers for a sample."""
    rng = np.random.default_rng(0)
    si = dr.zeros(mi.SurfaceInteraction3f, QUERIES)
    side = int(QUERIES**0.5)
    at = np.arange(QUERIES)
    si.t, si.uv = mi.Float(1), mi.Point2f(np.stack([at % side / side, at // side / side]).astype(np.float32))
    si.sh_frame, si.dp_du, si.dp_dv = mi.Frame3f(mi.Vector3f(0, 0, 1)), mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0)
    width = mi.Float((2.0 ** rng.uniform(-10, 0, QUERIES)).astype(np.float32))
    si.duv_dx, si.duv_dy = mi.Vector2f(width, 0), mi.Vector2f(0, width)
    numbers = [rng.random((2, QUERIES)).astype(np.float32) for _ in range(3)]
    si.wi, wo = (mi.warp.square_to_cosine_hemisphere(mi.Point2f(pair)) for pair in numbers[:2])
    lobe, direction = mi.Float(rng.random(QUERIES).astype(np.float32)), mi.Point2f(numbers[2])
    dr.eval(si, wo, lobe, direction)
    return si, wo, lobe, direction


def _parts(mi: Any, bsdf: Any, si: Any, wo: Any, lobe: Any, direction: Any) -> dict[str, Run]:
    context, material = mi.BSDFContext(), bsdf.material

    def latent() -> list[Any]:
        return material._fetch(mi.Point2f(si.uv.x, 1 - si.uv.y), material.level_dr(si.duv_dx, si.duv_dy))

    return {
        "latent": latent,
        "frames": lambda: material._frames(list(latent())),
        "eval": lambda: bsdf.eval(context, si, wo),
        "pdf": lambda: bsdf.pdf(context, si, wo),
        "sample": lambda: bsdf.sample(context, si, lobe, direction),
        "eval_pdf_sample": lambda: bsdf.eval_pdf_sample(context, si, wo, lobe, direction),
    }


def _multiply_adds(material: NeuralMaterial) -> dict[str, int]:
    """Of the networks; those that the two directions of a hit share count once."""
    from verdigris.render.codegen import known_early

    frames = 0 if material.frame_weight is None else material.frame_weight.size
    decoder, sampler = (sum(weight.size for weight, _ in layers) for layers in (material.layers, material.sampler))
    shared = len(known_early(material.config)) * material.layers[0][0].shape[0]
    return {
        "latent": 0,
        "frames": frames,
        "eval": frames + decoder,
        "pdf": frames + sampler,
        "sample": frames + decoder + sampler,
        "eval_pdf_sample": frames + 2 * decoder - shared + sampler,
    }


def _operations(dr: Any, run: Run) -> int:
    """Of the largest kernel, over all levels."""
    with dr.scoped_set_flag(dr.JitFlag.KernelHistory):
        dr.kernel_history_clear()
        dr.eval(run())
        return max(kernel["operation_count"] for kernel in dr.kernel_history([dr.KernelType.JIT]))


def _by_turns(dr: Any, runs: dict[str, Run], repeats: int) -> dict[str, float]:
    """The median processor seconds of each run, in turns; all have run before."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            dr.eval(run())
            dr.sync_thread()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def _ns(seconds: float) -> float:
    return round(seconds * 1e9 / QUERIES, 1)

"""A decoder alone, by Dr.Jit, onnxruntime and NumPy, as shares of the peak of a matrix product."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime

from verdigris.conventions import Array
from verdigris.model import NeuralMaterial
from verdigris.model.decoder import decode
from verdigris.render.codegen import DrjitMaterial
from verdigris.runtime import mitsuba

QUERIES = 1 << 20
CHUNKS = (1 << 12, 1 << 15, 1 << 20)
MATRIX = 2048
REST_SECONDS = 0.1
"""Between two runs: threads of the one before wait for work for a while, and would take it from the next."""
Run = Callable[[], Any]


def measured(materials: dict[str, NeuralMaterial], repeats: int) -> dict[str, Any]:
    """For each material, million evaluations a second of each way, and what they are of the peak."""
    return {name: _of_one(material, repeats) for name, material in materials.items()}


def _of_one(material: NeuralMaterial, repeats: int) -> dict[str, Any]:
    inputs = np.random.default_rng(0).normal(size=(QUERIES, material.config.decoder_inputs)).astype(np.float32)
    matrix = inputs.ravel()[: MATRIX**2].reshape(MATRIX, MATRIX)
    runs = {"gemm": lambda: matrix @ matrix, "drjit": _drjit(material, inputs)}
    for chunk in CHUNKS:
        runs[f"numpy {chunk}"] = _chunked(lambda x: _numpy(material, x), inputs, chunk)
        runs[f"onnxruntime {chunk}"] = _chunked(_onnx(material), inputs, chunk)
    seconds = _by_turns(runs, repeats)
    multiply_adds = sum(weight.size for weight, _ in material.layers)
    peak = 2 * MATRIX**3 / seconds["gemm"]
    found: dict[str, Any] = {
        "hidden": list(material.config.decoder.hidden),
        "multiply_adds": multiply_adds,
        "gemm_gflops": round(peak / 1e9, 1),
    }
    for way in ("drjit", "onnxruntime", "numpy"):
        best = min(value for name, value in seconds.items() if name.startswith(way))
        rate = QUERIES / best
        found[way] = {"meval_s": round(rate / 1e6, 2), "of_gemm": round(2 * multiply_adds * rate / peak, 3)}
    others = max(found[way]["meval_s"] for way in ("onnxruntime", "numpy"))
    return {**found, "over_best_other": round(found["drjit"]["meval_s"] / others, 2)}


def _drjit(material: NeuralMaterial, inputs: Array) -> Run:
    mi = mitsuba()
    import drjit as dr

    code, columns = DrjitMaterial(material), [mi.Float(np.ascontiguousarray(column)) for column in inputs.T]
    dr.eval(columns)

    def run() -> None:
        dr.eval(code.decode_dr(columns))
        dr.sync_thread()

    return run


def _numpy(material: NeuralMaterial, x: Array) -> Array:
    config = material.config.decoder
    return decode(material.layers, config.activation, config.output, x)


def _onnx(material: NeuralMaterial) -> Callable[[Array], Array]:
    """The decoder as an ONNX graph of Gemm, Relu and Exp in onnxruntime."""
    config, nodes, weights, value = material.config.decoder, [], [], "x"
    if (config.activation, config.output) != ("relu", "exp"):
        raise SystemExit(f"decoder: expected relu and exp, got {config.activation} and {config.output}")
    for k, (weight, bias) in enumerate(material.layers):
        last = k == len(material.layers) - 1
        weights += [onnx.numpy_helper.from_array(weight, f"w{k}")]
        weights += [onnx.numpy_helper.from_array(bias - 3 if last else bias, f"b{k}")]
        nodes.append(onnx.helper.make_node("Gemm", [value, f"w{k}", f"b{k}"], [f"raw{k}"], transB=1))
        value = f"y{k}"
        nodes.append(onnx.helper.make_node("Exp" if last else "Relu", [f"raw{k}"], [value]))
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", width])
        for name, width in (("x", material.config.decoder_inputs), (value, 3))
    ]
    graph = onnx.helper.make_graph(nodes, "decoder", ends[:1], ends[1:], weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def _chunked(answer: Callable[[Array], Array], inputs: Array, chunk: int) -> Run:
    def run() -> None:
        for start in range(0, len(inputs), chunk):
            answer(inputs[start : start + chunk])

    return run


def _by_turns(runs: dict[str, Run], repeats: int) -> dict[str, float]:
    """The median seconds of each run, in turns; the first turn, which compiles, does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            time.sleep(REST_SECONDS)
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[1:]) for name, values in times.items()}

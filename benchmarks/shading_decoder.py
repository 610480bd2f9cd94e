"""A decoder alone, by Dr.Jit, onnxruntime and NumPy, as shares of the peak of a matrix product."""

from __future__ import annotations

import os
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
Run = Callable[[], Any]


def measured(materials: dict[str, NeuralMaterial], repeats: int) -> dict[str, Any]:
    """For each material, million evaluations a second of one core each way, and what they are of the peak."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        raise SystemExit("OPENBLAS_NUM_THREADS: expected 1, since the product's threads count where they wait")
    mitsuba()
    import drjit as dr

    dr.set_thread_count(1)
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
    rates = {name: QUERIES / value for name, value in seconds.items() if name != "gemm"}
    for name, rate in rates.items():
        found[name] = {"meval_s": round(rate / 1e6, 2), "of_gemm": round(2 * multiply_adds * rate / peak, 3)}
    others = {name: rate for name, rate in rates.items() if name != "drjit"}
    whole = max(rate for name, rate in others.items() if name.endswith(f" {QUERIES}"))
    found["over_best_other"] = round(rates["drjit"] / max(others.values()), 2)
    return {**found, "over_best_in_one_call": round(rates["drjit"] / whole, 2)}


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
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def _chunked(answer: Callable[[Array], Array], inputs: Array, chunk: int) -> Run:
    def run() -> None:
        for start in range(0, len(inputs), chunk):
            answer(inputs[start : start + chunk])

    return run


def _by_turns(runs: dict[str, Run], repeats: int) -> dict[str, float]:
    """The median processor seconds of each run, in turns; the first turn, which compiles, does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values[1:]) for name, values in times.items()}

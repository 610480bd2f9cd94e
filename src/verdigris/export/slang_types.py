"""Names of the Slang types that `neuralappearance` builds a model of: it loads a component only under its own name."""

from __future__ import annotations

from collections.abc import Sequence

Stage = tuple[str, str, str]
"""Type of the input, type of the output, name of the stage."""


def chain(stages: Sequence[Stage]) -> Stage:
    """Stages one after another, nested from the right."""
    first, *rest = stages
    if not rest:
        return first
    last = chain(rest)
    return first[0], last[1], f"ChainedModelPair<{first[0]}, {first[1]}, {last[1]}, {first[2]}, {last[2]}>"


def network(widths: Sequence[int], activation: str, biases: bool = True) -> Stage:
    """A network in half precision between arrays of floats."""
    inputs, outputs = widths[0], widths[-1]
    stages: list[Stage] = [
        (f"float[{inputs}]", f"half[{inputs}]", f"ConvertArrayPrecision<float, half, {inputs}>"),
        (f"half[{inputs}]", f"CoopVec<half, {inputs}>", f"ConvertToCoopVec<half, {inputs}>"),
    ]
    for index, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        name = f"CoopVecLinearLayer<half, {a}, {b}, CoopVecComponentType::Float16, {int(biases)}>"
        stages.append((f"CoopVec<half, {a}>", f"CoopVec<half, {b}>", name))
        if index < len(widths) - 2:
            stages.append((f"CoopVec<half, {b}>", f"CoopVec<half, {b}>", f"Activation::{activation}<half, {b}>"))
    stages += [
        (f"CoopVec<half, {outputs}>", f"half[{outputs}]", f"ConvertToArray<half, {outputs}>"),
        (f"half[{outputs}]", f"float[{outputs}]", f"ConvertArrayPrecision<half, float, {outputs}>"),
    ]
    return chain(stages)


def decoder(channels: int, frames: int, directions: str, widths: Sequence[int], activation: str, output: str) -> str:
    """Of a decoder. directions: its inputs, as the configuration names them."""
    inside = f"BsdfDecoderInputWithFrames<{channels}, {max(frames, 1)}>"
    one = f"BsdfDecoderInputWithFrames<{channels}, 1>"
    stages: list[Stage] = [(one, one, f"StableRusinkiewiczParameterization<{channels}, 1>")]
    if frames:
        linear = network((channels, 6 * frames), "", biases=False)[2]
        name = f"ShadingFrameRotation<{frames}, {channels}, {6 * frames}, {linear}>"
        stages.append((one, inside, name))
    seen = f"{max(frames, 1)}, {widths[0] - channels}, {widths[0]}"
    stages.append((inside, f"float[{widths[0]}]", f"{directions}BsdfDecoderFlattener<{channels}, {seen}>"))
    stages.append(network(widths, activation))
    stages.append(("float[3]", "float[3]", f"Activation::{output}<float, 3>"))
    return chain(stages)[2]


def sampler(channels: int, lobes: int, widths: Sequence[int], activation: str) -> str:
    """Of a sampler."""
    sizes = f"{channels}, {lobes + 1}, {lobes}, {widths[0]}, {widths[-1]}"
    return f"DiffuseSpecularSampler<{sizes}, {network(widths, activation)[2]}>"

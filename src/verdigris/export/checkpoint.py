"""Reads a checkpoint of `neuralappearance` into a material; what does not map exactly is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.errors import ExportError
from verdigris.export import appearance, exr
from verdigris.export.interchange import channel_names, image_name
from verdigris.model import Auxiliary, DecoderConfig, Metadata, ModelConfig, NeuralMaterial, SamplerConfig
from verdigris.model.auxiliary import HEADS, Layers, head_widths
from verdigris.model.decoder import SIGMOID_SCALE
from verdigris.model.far import Far, far_widths

BYTES_MAX = 1 << 28
"""Largest `model.json` that is read: a thousand times the largest network of ours."""

LEVELS_MAX = 15

BROAD = SamplerConfig((1,), 1, 0.05)
"""Lobes of a material whose sampler does not map: of raw numbers 0, broad and right everywhere."""


class _Fields:
    """An object of the file, whose fields are asked for by name; complaints name the file and the field."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise ExportError(f"{where}: expected an object, got {type(value).__name__}")
        self._value, self.where = value, where

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Its plain value."""
        return self._value.get(name, default)

    def object(self, name: str) -> _Fields:
        """A field that is an object."""
        return _Fields(self._value.get(name), f"{self.where}.{name}")

    def whole(self, name: str, low: int, high: int) -> int:
        """A field that is a whole number."""
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ExportError(f"{self.where}.{name}: expected a whole number from {low} to {high}, got {value!r:.60}")
        return value

    def choice(self, name: str, known: Sequence[str], default: str | None = None) -> str:
        """A field that is one of some words."""
        value = self._value.get(name, default)
        if isinstance(value, list) and value and value.count(value[0]) == len(value):
            value = value[0]
        if value not in known:
            raise ExportError(f"{self.where}.{name}: expected one of {', '.join(known)}, got {value!r:.60}")
        return str(value)

    def widths(self, name: str) -> tuple[int, ...]:
        """A field that lists widths of hidden layers."""
        value: Any = self._value.get(name)
        good = isinstance(value, list) and all(isinstance(n, int) and 1 <= n <= 1024 for n in value)
        if not good or not 1 <= len(value) <= 16:
            raise ExportError(f"{self.where}.{name}: expected 1 to 16 widths from 1 to 1024, got {value!r:.60}")
        return tuple(value)

    def layers(self, sizes: Sequence[int]) -> Layers:
        """The layers of a network of these widths."""
        found = self._value.get("mlp_layers")
        if not isinstance(found, list) or len(found) != len(sizes) - 1:
            raise ExportError(f"{self.where}.mlp_layers: expected {len(sizes) - 1} layers")
        made = []
        for index, (value, a, b) in enumerate(zip(found, sizes, sizes[1:], strict=False)):
            layer = _Fields(value, f"{self.where}.mlp_layers.{index}")
            layer.whole("num_inputs", a, a)
            layer.whole("num_outputs", b, b)
            made.append((layer.numbers("weights", a * b).reshape(b, a), layer.numbers("biases", b)))
        return tuple(made)

    def numbers(self, name: str, count: int) -> np.ndarray:
        """A field that lists so many finite numbers, float64."""
        value: Any = self._value.get(name)
        plain = isinstance(value, list) and all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)
        if not plain or len(value) != count or not all(map(math.isfinite, value)):
            raise ExportError(f"{self.where}.{name}: expected {count} finite numbers")
        return np.array(value, np.float64)


def read(path: Path) -> NeuralMaterial:
    """The material of a `model.json` with its EXR files beside it.

    Raises ExportError, one line that names the file and the field, where a file is damaged or something has no exact
    equal here.
    """
    fields = _Fields(_json(path), str(path))
    try:
        return _material(fields, path.parent)
    except ValueError as error:
        raise ExportError(f"{path}: {error}") from error


def has_sampler(path: Path) -> bool:
    """Whether `read` finds a sampler there; else the material's is broad."""
    fields = _Fields(_json(path), str(path))
    return "verdigris" in fields or ("sampler" in fields and not fields.object("decoder").get("num_shading_frames"))


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise ExportError(f"{path}: expected up to {BYTES_MAX} bytes, got {path.stat().st_size}")
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path}: expected JSON, got {str(error):.80}") from error
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror}") from error


def _material(fields: _Fields, folder: Path) -> NeuralMaterial:
    latents, decoder = fields.object("latents"), fields.object("decoder")
    latents.choice("type", ("dense",), "dense")
    channels = latents.whole("num_channels", 1, 64)
    frames = decoder.whole("num_shading_frames", 0, 4) if "num_shading_frames" in decoder else 0
    directions = decoder.choice("direction_inputs", tuple(appearance.DIRECTIONS), "WhWd")
    decoder.choice("half_diff_parameterization", ("StableRusinkiewicz",), "StableRusinkiewicz")
    ours = fields.object("verdigris") if "verdigris" in fields else None
    features = _features(ours, appearance.DIRECTIONS[directions], frames)
    config = ModelConfig(channels, frames, _decoder_config(decoder, features), _sampler_config(fields, ours, frames))
    params = decoder.object("_params")
    widths = (config.decoder_inputs, *config.decoder.hidden, 3)
    layers = appearance.decoder_in(config, params.object("network").layers(widths))
    levels = latents.whole("num_mip_levels", 1, LEVELS_MAX)
    return NeuralMaterial(
        config,
        _levels(folder, levels, channels),
        _frame_weight(params, config) if frames else None,
        _single(layers),
        _single(_sampler(fields, ours, config)),
        _metadata(ours),
        _heads(ours, config),
        far=_far(ours, config, levels),
    )


def _far(ours: _Fields | None, config: ModelConfig, levels: int) -> Far | None:
    if ours is None or "far" not in ours:
        return None
    found = ours.object("far")
    return Far(found.whole("level", 1, levels - 1), _single(found.layers(far_widths(config))))


def _features(ours: _Fields | None, theirs: tuple[str, ...], frames: int) -> tuple[str, ...]:
    """The decoder's features: in the order and by the names that we wrote, if they are these."""
    found: Any = None if ours is None else ours.get("features")
    known = isinstance(found, list) and all(isinstance(name, str) for name in found)
    return tuple(found) if known and sorted(appearance.turned(found, frames)) == sorted(theirs) else theirs


def _decoder_config(decoder: _Fields, features: tuple[str, ...]) -> DecoderConfig:
    activations = {theirs: ours for ours, theirs in appearance.ACTIVATIONS.items()}
    outputs = {theirs: ours for ours, theirs in appearance.OUTPUTS.items()}
    activation = decoder.choice("hidden_activations", tuple(activations))
    output = decoder.object("output_activation")
    kind = output.choice("type", tuple(outputs))
    if kind == "ScaledSigmoid" and output.get("scale") != SIGMOID_SCALE:
        raise ExportError(f"{output.where}.scale: expected {SIGMOID_SCALE:g}, got {output.get('scale')!r:.60}")
    hidden = decoder.widths("hidden_layers")
    return DecoderConfig(hidden, activations[activation], features, outputs[kind])  # type: ignore[arg-type]


def _sampler_config(fields: _Fields, ours: _Fields | None, frames: int) -> SamplerConfig:
    if ours is not None:
        found = ours.object("sampler").object("config")
        defensive = found.get("defensive")
        if not isinstance(defensive, int | float):
            raise ExportError(f"{found.where}.defensive: expected a number, got {defensive!r:.60}")
        return SamplerConfig(found.widths("hidden"), found.whole("lobes", 1, 4), float(defensive))
    if "sampler" not in fields or frames:
        return BROAD
    sampler = fields.object("sampler")
    sampler.choice("hidden_activations", ("LeakyReLU",))
    return SamplerConfig(sampler.widths("hidden_layers"), sampler.whole("num_specular_lobes", 1, 4), 0.0)


def _sampler(fields: _Fields, ours: _Fields | None, config: ModelConfig) -> Layers:
    sizes = config.sampler_widths
    if ours is not None:
        return ours.object("sampler").layers(sizes)
    if config.sampler == BROAD:
        return tuple((np.zeros((b, a)), np.zeros(b)) for a, b in zip(sizes, sizes[1:], strict=False))
    theirs = fields.object("sampler").object("_params").object("network").layers(sizes)
    rows, (weight, bias) = appearance.sampler_rows(config.sampler.lobes), theirs[-1]
    last_weight, last_bias = np.empty_like(weight), np.empty_like(bias)
    last_weight[rows], last_bias[rows] = weight, bias
    return (*theirs[:-1], (last_weight, last_bias))


def _frame_weight(params: _Fields, config: ModelConfig) -> np.ndarray:
    rotation = params.object("rotation").object("rotation_decoder")
    ((theirs, biases),) = rotation.layers((config.channels, 6 * config.frames))
    if biases.any():
        raise ExportError(f"{rotation.where}: expected no biases")
    weight = np.empty_like(theirs)
    weight[appearance.frame_rows(config.frames)] = theirs
    return weight.astype(np.float32)


def _levels(folder: Path, count: int, channels: int) -> tuple[np.ndarray, ...]:
    levels = []
    for level in range(count):
        path = folder / image_name(level)
        try:
            found = exr.read(path.read_bytes())
        except OSError as error:
            raise ExportError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ExportError(f"{path}: {error}") from error
        if sorted(found) != channel_names(channels):
            raise ExportError(f"{path}: expected channels {', '.join(channel_names(channels))}, got {', '.join(found)}")
        levels.append(np.stack([found[name] for name in channel_names(channels)], axis=-1))
    return tuple(levels)


def _heads(ours: _Fields | None, config: ModelConfig) -> Auxiliary | None:
    found = ours.object("heads") if ours is not None else None
    names = [name for name in HEADS if found is not None and name in found]
    if ours is None or found is None or not names:
        return None
    hidden = ours.widths("hidden")
    return Auxiliary(
        hidden, {name: _single(found.object(name).layers(head_widths(name, config, hidden))) for name in names}
    )


def _metadata(ours: _Fields | None) -> Metadata:
    if ours is None:
        return Metadata(source={"uri": "neuralappearance"})
    found = ours.object("metadata")
    parts = (found.get(name) if isinstance(found.get(name), dict) else {} for name in ("source", "bake", "report"))
    return Metadata(str(found.get("name", "")), *parts)


def _single(layers: Layers) -> Layers:
    return tuple((weight.astype(np.float32), bias.astype(np.float32)) for weight, bias in layers)

"""The manifest inside a `.vdg` header: written from a material, and parsed with every field checked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from verdigris.asset.format import (
    CONVENTIONS,
    FIRST_FAR,
    FIRST_SAMPLER,
    MAX_HIDDEN_LAYERS,
    MAX_LEVELS,
    MAX_NAME_LENGTH,
    SCHEMA,
    Malformed,
)
from verdigris.model.auxiliary import HEADS, check_hidden
from verdigris.model.config import DecoderConfig, ModelConfig, SamplerConfig
from verdigris.model.grid import LATENT_BITS
from verdigris.model.neural import Metadata, NeuralMaterial

KINDS = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
}
FIRST_ACTIVATIONS, FIRST_FEATURES = ("relu", "leaky_relu"), ("wi", "wo", "log_half")
"""All that a file of schema 1 may ask for; its answers are `exp`, cosine included."""

OLD_SAMPLER = SamplerConfig((1,), 1, defensive=0.05)
"""Stands in for the sampler that files of schema 1 and 2 have not, with a network of zeros: broad lobes that are right
everywhere and good nowhere, until `verdigris.bake.sampler.fit` trains one."""


@dataclass(frozen=True)
class Manifest:
    """What the manifest says, checked. levels: number of latent levels. latent_bits: of a stored latent.

    heads, hidden: auxiliary heads in the order of `HEADS`, and the widths of their hidden layers; empty without any.
    far_level: the first level of `model.far.Far`, None without one.
    """

    schema: int
    config: ModelConfig
    levels: int
    metadata: Metadata
    heads: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()
    latent_bits: int = 16
    far_level: int | None = None


def build(material: NeuralMaterial) -> dict[str, Any]:
    """The manifest of a material, as plain JSON values."""
    auxiliary = material.auxiliary
    heads = {} if auxiliary is None else {"heads": list(auxiliary.names), "hidden": list(auxiliary.hidden)}
    return {
        **({"auxiliary": heads} if heads else {}),
        **({"far": {"level": material.far.level}} if material.far else {}),
        "schema": FIRST_FAR if material.far else FIRST_FAR - 1,
        "conventions": CONVENTIONS,
        "model": dataclasses.asdict(material.config),
        "levels": len(material.latents),
        **({"latent_bits": material.latent_bits} if material.grids else {}),
        **dataclasses.asdict(material.metadata),
    }


def check_schema(value: Any) -> int:
    """The manifest's version. Raises Malformed where it is one that we do not read."""
    schema: int = _Fields(value, "manifest").take("schema", int)
    if not 1 <= schema <= SCHEMA:
        raise Malformed(f"schema: expected version 1 to {SCHEMA}, got {shorten(schema)}")
    return schema


def parse(value: Any) -> Manifest:
    """Checks a decoded manifest. Raises Malformed, naming the field; unknown fields are refused."""
    schema = check_schema(value)
    fields = _Fields(value, "manifest", "schema")
    conventions = fields.take("conventions", dict)
    if conventions != CONVENTIONS:
        raise Malformed(f"conventions: expected those of schema {schema}, got others")
    levels = fields.take("levels", int)
    if not 1 <= levels <= MAX_LEVELS:
        raise Malformed(f"levels: expected 1 to {MAX_LEVELS}, got {levels}")
    bits = _parse_bits(fields, schema)
    config = _parse_model(fields.take("model", dict), schema)
    if schema < FIRST_SAMPLER:
        fields.take("sampler", dict)  # fixed lobes, for which `read.py` puts a network
    metadata = Metadata(
        name=_parse_name(fields.take("name", str)),
        source=fields.take("source", dict),
        bake=fields.take("bake", dict),
        report=fields.take("report", dict),
    )
    heads, hidden = _parse_auxiliary(fields, schema)
    far_level = _parse_far(fields, schema)
    fields.finish()
    return Manifest(schema, config, levels, metadata, heads, hidden, bits, far_level)


class _Fields:
    """The fields of a JSON object, taken one by one; what remains at the end is unknown."""

    def __init__(self, value: Any, name: str, *taken: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{name}: expected an object, got {shorten(value)}")
        self.value, self.name, self.taken = value, name, set(taken)

    def take(self, key: str, kind: type) -> Any:
        self.taken.add(key)
        if key not in self.value:
            raise Malformed(f"{self.name}.{key}: missing")
        found = self.value[key]
        # bool is an int in Python, not in JSON; an integer is a number in both.
        right = isinstance(found, (int, float) if kind is float else kind)
        right = right and isinstance(found, bool) == (kind is bool)
        if not right:
            raise Malformed(f"{self.name}.{key}: expected {KINDS[kind]}, got {shorten(found)}")
        return self._number(key, found) if kind is float else found

    def _number(self, key: str, found: float) -> float:
        try:
            return float(found)
        except OverflowError as error:
            raise Malformed(f"{self.name}.{key}: expected a number, got {shorten(found)}") from error

    def finish(self) -> None:
        unknown = sorted(set(self.value) - self.taken)
        if unknown:
            raise Malformed(f"{self.name}: unknown field {shorten(unknown[0])}")


def shorten(value: Any, limit: int = 60) -> str:
    """A value as one short line, for a message."""
    text = repr(value) if not isinstance(value, (dict, list)) else KINDS[type(value)]
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _parse_bits(fields: _Fields, schema: int) -> int:
    """Bits of a latent; the field is optional, and schema 1 has none."""
    if schema == 1 or "latent_bits" not in fields.value:
        return 16
    bits: int = fields.take("latent_bits", int)
    if bits not in LATENT_BITS:
        raise Malformed(f"latent_bits: expected 16, 8 or 4, got {shorten(bits)}")
    return bits


def _parse_name(name: str) -> str:
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise Malformed(f"name: expected up to {MAX_NAME_LENGTH} printable characters, got {shorten(name)}")
    return name


def _parse_list(values: list[Any], name: str, kind: type, limit: int) -> list[Any]:
    if not 1 <= len(values) <= limit:
        raise Malformed(f"{name}: expected 1 to {limit} entries, got {len(values)}")
    entries = _Fields({str(index): value for index, value in enumerate(values)}, name)
    return [entries.take(str(index), kind) for index in range(len(values))]


def _parse_model(value: dict[str, Any], schema: int) -> ModelConfig:
    fields = _Fields(value, "model")
    decoder = _Fields(fields.take("decoder", dict), "model.decoder")
    hidden = _parse_list(decoder.take("hidden", list), "model.decoder.hidden", int, MAX_HIDDEN_LAYERS)
    features = _parse_list(decoder.take("features", list), "model.decoder.features", str, 64)
    activation: Any = decoder.take("activation", str)
    output: Any = decoder.take("output", str) if schema > 1 else "exp"
    cosine = decoder.take("cosine", bool) if schema > 1 else True
    channels, frames = fields.take("channels", int), fields.take("frames", int)
    sampler = fields.take("sampler", dict) if schema >= FIRST_SAMPLER else None
    decoder.finish()
    fields.finish()
    if schema == 1:
        _check_first(activation, features)
    try:
        network = DecoderConfig(tuple(hidden), activation, tuple(features), output, cosine)
        return ModelConfig(channels, frames, network, OLD_SAMPLER if sampler is None else _parse_sampler(sampler))
    except ValueError as error:
        raise Malformed(f"model: {error}") from error


def _check_first(activation: str, features: list[str]) -> None:
    """Refuses what only later schemas know."""
    if activation not in FIRST_ACTIVATIONS:
        raise Malformed(f"model: decoder.activation: schema 1 expects one of {FIRST_ACTIVATIONS}, got {activation!r}")
    if not set(features) <= set(FIRST_FEATURES):
        raise Malformed(f"model: decoder.features: schema 1 expects names of {FIRST_FEATURES}, got {tuple(features)}")


def _parse_auxiliary(fields: _Fields, schema: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the heads and widths of their hidden layers; the field is optional, and schema 1 has none."""
    if schema == 1 or "auxiliary" not in fields.value:
        return (), ()
    entry = _Fields(fields.take("auxiliary", dict), "auxiliary")
    names = _parse_list(entry.take("heads", list), "auxiliary.heads", str, len(HEADS))
    hidden = _parse_list(entry.take("hidden", list), "auxiliary.hidden", int, MAX_HIDDEN_LAYERS)
    entry.finish()
    if names != [name for name in HEADS if name in names]:
        raise Malformed(
            f"auxiliary.heads: expected some of {', '.join(HEADS)} in this order, got {shorten(str(names))}"
        )
    try:
        check_hidden(hidden)
    except ValueError as error:
        raise Malformed(str(error)) from error
    return tuple(names), tuple(hidden)


def _parse_far(fields: _Fields, schema: int) -> int | None:
    """The first level of other layers; the field is optional, and schemas 1 to 3 have none."""
    if schema < FIRST_FAR or "far" not in fields.value:
        return None
    entry = _Fields(fields.take("far", dict), "far")
    level: int = entry.take("level", int)
    entry.finish()
    return level


def _parse_sampler(value: dict[str, Any]) -> SamplerConfig:
    fields = _Fields(value, "model.sampler")
    hidden = _parse_list(fields.take("hidden", list), "model.sampler.hidden", int, MAX_HIDDEN_LAYERS)
    lobes, defensive = fields.take("lobes", int), fields.take("defensive", float)
    fields.finish()
    return SamplerConfig(tuple(hidden), lobes, defensive)

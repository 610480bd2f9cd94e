"""The JAX twin of `model/`: the same formulas, feature-major (`[features, n]`), differentiable, float32.

A network is a dict of arrays: `frames` `[6 F, C]` (absent without learned frames) and `layers`, a list of
(weight `[out, in]`, bias `[out]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Activation, DecoderConfig, ModelConfig
from verdigris.model.decoder import LEAK, OUTPUT_SHIFT, SIGMOID_SCALE, SMELU_BETA
from verdigris.model.features import ARC_DIVISOR_MIN, LOG_HALF_FLOOR

Network = dict[str, Any]
RAW_RANGE = {"exp": (-20.0, 18.0), "sigmoid": (-34.0, 18.0)}
"""Training clips the decoder's raw output to it, so that no loss overflows early on and no answer reaches 0, where a
root has no gradient: exp(raw - 3) lies in 1e-10 to 3e6, 1e5 / (1 + exp(-raw)) in 2e-10 to 1e5."""

RAW_START = {"exp": 0.0, "sigmoid": -OUTPUT_SHIFT - float(np.log(SIGMOID_SCALE))}
"""Bias that the last layer starts with: either output then begins at exp(-3)."""


def init_layers(sizes: tuple[int, ...], rng: np.random.Generator) -> list[tuple[jax.Array, jax.Array]]:
    """He-uniform weights and zero biases of an MLP of these widths; the last layer at a tenth, to start flat."""
    layers = []
    for index, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        bound = np.sqrt(6.0 / n_in) * (0.1 if index == len(sizes) - 2 else 1.0)
        weight = rng.uniform(-bound, bound, (n_out, n_in)).astype(np.float32)
        layers.append((jnp.asarray(weight), jnp.zeros(n_out, jnp.float32)))
    return layers


def init_network(config: ModelConfig, rng: np.random.Generator) -> Network:
    """A random decoder and frame layer; the frames start near the geometric one."""
    layers = init_layers((config.decoder_inputs, *config.decoder.hidden, 3), rng)
    layers[-1] = (layers[-1][0], layers[-1][1] + RAW_START[config.decoder.output])
    network: Network = {"layers": layers}
    if config.frames:
        weight = rng.normal(0.0, 0.1, (6 * config.frames, config.channels)).astype(np.float32)
        network["frames"] = jnp.asarray(weight)
    return network


def as_network(frames: Array | None, layers: Sequence[tuple[Array, Array]]) -> Network:
    """A finished material's frame layer, if it has one, and decoder as a network."""
    network: Network = {"layers": [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in layers]}
    return network if frames is None else {**network, "frames": jnp.asarray(frames)}


def as_stored(values: Any) -> Any:
    """Every array of a tree rounded to float16, as an asset holds it; gradients pass as if nothing were rounded.

    Training on the rounded numbers makes the stored material the trained one, instead of one nearby: rounding after
    training alone shifts the response of the layered brass by up to 6 %.
    """
    return jax.tree.map(
        lambda x: x + jax.lax.stop_gradient(jax.lax.reduce_precision(x, exponent_bits=5, mantissa_bits=10) - x), values
    )


def float16(array: Any) -> Array:
    """An array rounded to float16, in float32: the numbers that `as_stored` trains with, once training is over."""
    return np.ascontiguousarray(np.asarray(array)).astype(np.float16).astype(np.float32)


Rows = tuple[jax.Array, jax.Array, jax.Array]
"""A vector as three rows `[n]`: XLA on a CPU fuses arithmetic on rows, but not slices of a `[3, n]` array."""


def _dot(a: Rows, b: Rows) -> jax.Array:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _normalize(v: Rows) -> Rows:
    scale = jax.lax.rsqrt(jnp.maximum(_dot(v, v), 1e-12))
    return (v[0] * scale, v[1] * scale, v[2] * scale)


def _cross(a: Rows, b: Rows) -> Rows:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def frames(network: Network, latent: jax.Array) -> list[tuple[Rows, Rows, Rows]]:
    """Learned frames (t, b, n) of latents `[C, n]`, as rows; the identity (rows `[1]`) without a frame layer."""
    if "frames" not in network:
        one, zero = jnp.ones(1, latent.dtype), jnp.zeros(1, latent.dtype)
        return [((one, zero, zero), (zero, one, zero), (zero, zero, one))]
    raw = network["frames"] @ latent
    out = []
    for row in range(0, raw.shape[0], 6):
        n = _normalize((raw[row], raw[row + 1], raw[row + 2] + 1.0))
        t = _normalize((raw[row + 3] + 1.0, raw[row + 4], raw[row + 5]))
        out.append((t, _cross(n, t), n))
    return out


def features(config: DecoderConfig, frame: tuple[Rows, Rows, Rows], wi: Rows, wo: Rows) -> list[jax.Array]:
    """The decoder's direction inputs of one frame, rows `[n]` in the order of `config.features`."""
    local_wi: Rows = tuple(_dot(wi, axis) for axis in frame)
    local_wo: Rows = tuple(_dot(wo, axis) for axis in frame)
    rows: list[jax.Array] = []
    for name in config.features:
        if name == "log_half":
            gap = tuple(a - b for a, b in zip(_half(wi, wo), frame[2], strict=True))
            rows.append((jnp.log(_dot(gap, gap) + LOG_HALF_FLOOR) + 6.0) / 6.0)
        elif name.startswith("turned_"):
            half = _half(wi, wo)
            turned = half if name == "turned_half" else _difference(half, wi)
            rows += [_dot(turned, axis) for axis in frame]
        elif name == "half":
            rows += _half(local_wi, local_wo)
        elif name == "difference":
            rows += _difference(_half(local_wi, local_wo), local_wi)
        elif name == "cosines":
            rows += [local_wi[2], local_wo[2]]
        else:
            rows += local_wi if name == "wi" else local_wo
    return rows


def _half(wi: Rows, wo: Rows) -> Rows:
    return _normalize((wi[0] + wo[0], wi[1] + wo[1], wi[2] + wo[2]))


def _difference(half: Rows, wi: Rows) -> Rows:
    """`wi` turned by the shortest arc from `half` to (0, 0, 1): see `model/features.py`."""
    vx, vy, z = half[1], -half[0], half[2]
    along = (vx * wi[0] + vy * wi[1]) / jnp.maximum(1.0 + z, ARC_DIVISOR_MIN)
    return (
        wi[0] * z + vy * wi[2] + along * vx,
        wi[1] * z - vx * wi[2] + along * vy,
        wi[2] * z + vx * wi[1] - vy * wi[0],
    )


def activate(kind: Activation, x: jax.Array) -> jax.Array:
    """The activation, elementwise: see `model/decoder.py`."""
    if kind == "relu":
        return jnp.maximum(x, 0.0)
    if kind == "leaky_relu":
        return jnp.maximum(x, LEAK * x)
    inner = jnp.clip(x, -SMELU_BETA, SMELU_BETA)
    bend = inner + SMELU_BETA
    return LEAK * x + (1.0 - LEAK) * (bend * bend * (0.25 / SMELU_BETA) + jnp.maximum(x - inner, 0.0))


def mlp(layers: list[tuple[jax.Array, jax.Array]], x: jax.Array, activation: Activation) -> jax.Array:
    """An MLP with an activation between its layers, `[in, n] -> [out, n]`."""
    for index, (weight, bias) in enumerate(layers):
        x = weight @ x + bias[:, None]
        if index < len(layers) - 1:
            x = activate(activation, x)
    return x


def answer(config: ModelConfig, network: Network, latent: jax.Array, wi: Rows, wo: Rows) -> jax.Array:
    """What the network itself gives, with or without the cosine of wo as `config.decoder.cosine` says.

    Latents `[C, n]` and unit directions, rows `[n]`, `-> [3, n]`; no horizon test.
    """
    rows = [row for frame in frames(network, latent) for row in features(config.decoder, frame, wi, wo)]
    raw = mlp(network["layers"], jnp.concatenate([jnp.stack(rows), latent]), config.decoder.activation)
    raw = jnp.clip(raw, *RAW_RANGE[config.decoder.output])
    if config.decoder.output == "exp":
        return jnp.exp(raw - OUTPUT_SHIFT)
    return SIGMOID_SCALE / (1.0 + jnp.exp(-raw))


def decode(config: ModelConfig, network: Network, latent: jax.Array, wi: Rows, wo: Rows) -> jax.Array:
    """Cosine-weighted response: arguments and result as for `answer`."""
    response = answer(config, network, latent, wi, wo)
    return response if config.decoder.cosine else response * wo[2]

"""The target `neuralappearance`: a checkpoint of that program, `model.json` and an EXR file for each level."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from verdigris.errors import ExportError
from verdigris.export import appearance, exr, slang_types
from verdigris.export.options import Export
from verdigris.model.auxiliary import Layers
from verdigris.model.decoder import SIGMOID_SCALE
from verdigris.model.neural import NeuralMaterial
from verdigris.model.sampler import ACTIVATION as SAMPLER_ACTIVATION

USAGE = """\
A checkpoint of NVIDIA's `neuralappearance`: give it `model.json` as the model to load, in a configuration whose `model`
is that of this file. The field `verdigris` holds what has no place in that form; `verdigris import` reads it again."""


def export(material: NeuralMaterial) -> Export:
    """The target's files. Raises ExportError, naming the field, where that program cannot hold the material."""
    for level in material.latents:
        if level.shape[0] != level.shape[1]:
            raise ExportError(f"latents: expected square levels, got {level.shape[1]} x {level.shape[0]}")
    images = {
        image_name(level): exr.write(texture, channel_names(material.config.channels))
        for level, texture in enumerate(material.latents)
    }
    text = json.dumps(model(material), indent=1, allow_nan=False) + "\n"
    return Export({"model.json": text.encode(), **images}, "neuralappearance", usage=USAGE)


def image_name(level: int) -> str:
    """File of a level."""
    return f"latents.material0.mip{level}.exr"


def channel_names(channels: int) -> list[str]:
    """Names of a latent's channels in an image."""
    digits = len(str(channels - 1))
    return [f"channel{k:0{digits}d}" for k in range(channels)]


def model(material: NeuralMaterial) -> dict[str, Any]:
    """`model.json` as plain values. Raises ExportError."""
    config = material.config
    directions, decoder = appearance.directions_of(config), config.decoder
    if not decoder.cosine:
        raise ExportError("decoder.cosine: expected true, a response that includes the cosine, got false")
    activation, output = appearance.ACTIVATIONS[decoder.activation], appearance.OUTPUTS[decoder.output]
    networks = {"network": network(appearance.decoder_out(config, material.layers))}
    if material.frame_weight is not None:
        rows = material.frame_weight[appearance.frame_rows(config.frames)]
        networks = {"rotation": {"rotation_decoder": network(((rows, np.zeros(len(rows))),))}, **networks}
    widths = (config.decoder_inputs, *decoder.hidden, 3)
    described = {
        "seed": 0,
        "latents": {
            "num_mip_levels": len(material.latents),
            "num_channels": config.channels,
            "normalize": False,
            "_type_name": f"LatentTexture<1, {len(material.latents)}, {config.channels}>",
        },
        "decoder": {
            "hidden_layers": list(decoder.hidden),
            "hidden_activations": activation,
            "output_activation": {"type": output} | ({"scale": SIGMOID_SCALE} if output == "ScaledSigmoid" else {}),
            "half_diff_parameterization": "StableRusinkiewicz",
            "num_shading_frames": config.frames,
            "direction_inputs": directions,
            "_params": networks,
            "_type_name": slang_types.decoder(config.channels, config.frames, directions, widths, activation, output),
        },
    }
    sampler = {"sampler": _sampler(material)} if appearance.maps_sampler(config) else {}
    return described | sampler | {"verdigris": _ours(material)}


def network(layers: Layers) -> dict[str, Any]:
    """A network's layers, weights row by row."""
    return {
        "mlp_layers": [
            {
                "num_inputs": weight.shape[1],
                "num_outputs": weight.shape[0],
                "weights": weight.astype(float).ravel().tolist(),
                "biases": bias.astype(float).ravel().tolist(),
            }
            for weight, bias in layers
        ]
    }


def _sampler(material: NeuralMaterial) -> dict[str, Any]:
    config, rows = material.config, appearance.sampler_rows(material.config.sampler.lobes)
    weight, bias = material.sampler[-1]
    activation = appearance.ACTIVATIONS[SAMPLER_ACTIVATION]
    return {
        "num_specular_lobes": config.sampler.lobes,
        "hidden_layers": list(config.sampler.hidden),
        "hidden_activations": activation,
        "_params": {"network": network((*material.sampler[:-1], (weight[rows], bias[rows])))},
        "_type_name": slang_types.sampler(config.channels, config.sampler.lobes, config.sampler_widths, activation),
    }


def _ours(material: NeuralMaterial) -> dict[str, Any]:
    """What has no place in that form: the order of our features, the decoder at coarse levels, the sampler, the heads,
    what the asset says."""
    metadata, far = material.metadata, material.far
    heads = {} if material.auxiliary is None else material.auxiliary.heads
    return {
        "features": list(material.config.decoder.features),
        **({"far": {"level": far.level, **network(far.layers)}} if far else {}),
        "sampler": {"config": asdict(material.config.sampler), **network(material.sampler)},
        "heads": {name: network(heads[name]) for name in material.heads},
        "hidden": list(material.auxiliary.hidden) if material.auxiliary else [],
        "metadata": asdict(metadata),
    }

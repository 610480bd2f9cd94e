"""The `.vdg` format: layout, names, limits and checksum. `docs/format.md` is its specification for strangers.

A safetensors file: 8 bytes of header length (little-endian), a JSON header, the tensors' bytes. The header's
`__metadata__` holds `checksum` and `verdigris`, the manifest: JSON in a string, as safetensors wants it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verdigris.model.auxiliary import head_widths
from verdigris.model.config import ModelConfig
from verdigris.model.far import far_widths

SCHEMA = 4
"""The newest that we read. We write it where a file needs it, else 3, which older readers know too. 1 and 2 had no
sampler network; 1 had fewer choices of the decoder."""

FIRST_SAMPLER, FIRST_FAR = 3, 4
"""The first schemas with a sampler network, and with layers of the decoder for coarse levels."""

MAX_FILE_BYTES = 1 << 30
MAX_HEADER_BYTES = 16 << 20
MAX_SIDE = 16384
MAX_LEVELS = 15
MAX_HIDDEN_LAYERS = 16
MAX_NAME_LENGTH = 256

LENGTH_BYTES = 8
DTYPE_BYTES = {"F16": 2, "U8": 1}
NO_CHECKSUM = "0" * 64
"""What stands in the checksum's place while the file is hashed."""

CONVENTIONS = {
    "directions": "wi = viewer, wo = light; unit, leaving the surface, in the local frame (t, b, n) with n = +z",
    "response": "BSDF times cosine of wo, linear Rec. 709 RGB",
    "uv": "origin lower left, texel row 0 at v = 0.5 / H, repeat",
    "levels": "0 is the finest, each side halves rounding down to 1 or more",
}
"""Written into every file and required in it: a file that means something else must not be read as this."""


class Malformed(Exception):
    """A rule of the format is broken; the message names the field. Becomes an AssetError that names the file too."""


def one_line(error: BaseException, limit: int = 300) -> str:
    """An error's message as one line of bounded length, whatever the file put into it."""
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces, ASCII, shortest floats, no NaN.

    Raises Malformed for values that JSON does not have.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"metadata: expected plain JSON values, got {error}") from error


def level_shape(finest: tuple[int, int], level: int) -> tuple[int, int]:
    """Height and width of a level, from those of level 0."""
    return max(finest[0] >> level, 1), max(finest[1] >> level, 1)


@dataclass(frozen=True)
class Layout:
    """Shape and dtype (a key of DTYPE_BYTES) of a stored tensor."""

    shape: tuple[int, ...]
    dtype: str = "F16"

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * DTYPE_BYTES[self.dtype]


def packed_channels(channels: int, bits: int) -> int:
    """Numbers that store a texel: halves with 16 bits, else bytes."""
    return (channels + 1) // 2 if bits == 4 else channels


def tensor_layouts(
    config: ModelConfig,
    finest: tuple[int, int],
    levels: int,
    bits: int = 16,
    heads: Sequence[str] = (),
    hidden: Sequence[int] = (),
    schema: int = SCHEMA,
    far: bool = False,
) -> dict[str, Layout]:
    """Every tensor that a file must hold, in the order in which we write them. Nothing else may be in it.

    bits: of a latent. Codes come last: they may have an odd number of bytes, and a half should lie at an even place.
    heads, hidden: the auxiliary heads and the widths of their hidden layers. far: whether there are layers of the
    decoder for coarse levels.
    """
    width, dtype = packed_channels(config.channels, bits), "F16" if bits == 16 else "U8"
    latents = {f"latents.{k}": Layout((*level_shape(finest, k), width), dtype) for k in range(levels)}
    grids = [f"latents.{k}.{part}" for k in range(levels) for part in ("offset", "scale")]
    layouts = latents.copy() if bits == 16 else dict.fromkeys(grids, Layout((config.channels,)))
    if config.frames:
        layouts["frames.weight"] = Layout((config.frames * 6, config.channels))
    _add_layers(layouts, "decoder", (config.decoder_inputs, *config.decoder.hidden, 3))
    if far:
        _add_layers(layouts, "far", far_widths(config))
    if schema >= FIRST_SAMPLER:
        _add_layers(layouts, "sampler", config.sampler_widths)
    for name in heads:
        _add_layers(layouts, f"auxiliary.{name}", head_widths(name, config, hidden))
    return layouts | latents


def _add_layers(layouts: dict[str, Layout], network: str, widths: Sequence[int]) -> None:
    for index, (inputs, outputs) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        layouts[f"{network}.layers.{index}.weight"] = Layout((outputs, inputs))
        layouts[f"{network}.layers.{index}.bias"] = Layout((outputs,))


def encode_header(tensors: Sequence[tuple[str, Layout]], manifest: Mapping[str, Any]) -> bytes:
    """The JSON header with an empty checksum, from name and layout of the tensors in their order.

    Padded by spaces so that the tensors begin at a multiple of 8 bytes in the file.
    """
    metadata = {"checksum": NO_CHECKSUM, "verdigris": canonical_json(manifest)}
    header: dict[str, Any] = {"__metadata__": metadata}
    offset = 0
    for name, layout in tensors:
        place = [offset, offset + layout.size]
        header[name] = {"dtype": layout.dtype, "shape": list(layout.shape), "data_offsets": place}
        offset += layout.size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    return text + b" " * (-len(text) % 8)


def seal(header: bytes, data: bytes) -> bytes:
    """The file: length, header, data, the empty checksum replaced by that of the whole."""
    body = len(header).to_bytes(LENGTH_BYTES, "little") + header + data
    # The metadata comes first in the header and the checksum first in it, so this is the checksum's own place.
    place = body.index(NO_CHECKSUM.encode("ascii"))
    digest = hashlib.sha256(body).hexdigest().encode("ascii")
    return body[:place] + digest + body[place + len(digest) :]


def checksum(length: bytes, header: bytes, data: bytes, digest: str) -> str:
    """SHA-256 of the file with the 64 digits of `digest`, which must stand once in the header, replaced by zeros."""
    written = digest.encode("ascii", "replace")
    if header.count(written) != 1:
        raise Malformed("checksum: expected it to stand in the header once, as plain digits")
    blank = header.replace(written, NO_CHECKSUM.encode("ascii"))
    state = hashlib.sha256(length)
    state.update(blank)
    state.update(data)
    return state.hexdigest()

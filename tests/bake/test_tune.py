"""The fine-tuning of several textures at once."""

import jax
import jax.numpy as jnp
import numpy as np

from bake_standin import StandIn
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Span, Texture, optimiser_state, texture_state, tune_phase
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import init_network

CONFIG = BakeConfig(resolution=32, batch=1024, chunk_steps=16, rate=8e-3, texel_rate=1e-2, auxiliary_samples=0)
CHUNKS = 60
TEXTURES = [Texture(32, 0.5), Texture(16, 0.3, level=1), Texture(4, 0.15, level=3), Texture(1, 0.05, level=5)]


class Recorder(QuerySource):
    """Notes how far off each query the reference's sampler may be asked."""

    def directions(self, *args, **kwargs):
        self.spreads = [*getattr(self, "spreads", []), kwargs["spread"]]
        return super().directions(*args, **kwargs)


def test_textures_of_all_sizes_learn_in_one_compiled_step(rng):
    source = Recorder(StandIn(32), CONFIG.mix)
    phase = tune_phase(CONFIG, [source], TEXTURES, CHUNKS * CONFIG.chunk)
    latents = [rng.normal(0.0, 0.1, (8, texture.side, texture.side)).astype(np.float32) for texture in TEXTURES]
    state = {
        "network": optimiser_state(init_network(CONFIG.model, rng)),
        "textures": [texture_state(jnp.asarray(level)) for level in latents],
    }
    # Committed to the device, as the queries are.
    state = jax.device_put(state, jax.devices()[0])
    found = {index: [] for index in range(len(TEXTURES))}
    for chunk in range(CHUNKS):
        queries = phase.prepare(chunk)
        span = Span(*np.float32([chunk / CHUNKS, (chunk + 1) / CHUNKS, 1.0]))
        state, losses = phase.advance(state, span, *queries)
        for turn, loss in zip(queries[0].turn, np.asarray(losses), strict=True):
            found[int(turn)].append(float(loss))
    assert phase.advance._cache_size() == 1
    counts = np.array([len(losses) for losses in found.values()])
    np.testing.assert_allclose(counts / counts.sum(), [texture.share for texture in TEXTURES], atol=1e-3)
    for texture, losses, before, after in zip(TEXTURES, found.values(), latents, state["textures"], strict=True):
        assert np.mean(losses[-8:]) < 0.5 * losses[0], texture
        moved = np.abs(np.asarray(after[:8]) - before).max(axis=0)
        assert np.isfinite(after).all() and (moved > 0).all(), texture
    spread = source.spreads[0].reshape(CONFIG.chunk_steps, -1)
    np.testing.assert_array_equal(spread[:, 0], [1 / TEXTURES[turn].side for turn in phase.prepare(0)[0].turn])

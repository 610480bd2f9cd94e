"""Colour augmentation: which inputs are colours, how they are changed, and that a bake with it still learns."""

import jax.numpy as jnp
import numpy as np
import pytest

from bake_standin import StandIn
from mtlx_documents import write_document
from verdigris.bake import colours
from verdigris.bake.config import DirectionMix
from verdigris.bake.queries import QuerySource
from verdigris.materials.reference import load_reference

GRAPH = """
  <texcoord name="T" type="vector2" />
  <separate2 name="C" type="multioutput"><input name="in" type="vector2" nodename="T" /></separate2>
  <combine3 name="TINT" type="color3">
    <input name="in1" type="float" nodename="C" output="outx" />
    <input name="in2" type="float" nodename="C" output="outy" />
  </combine3>
  <combine3 name="SIGMA" type="vector3"><input name="in1" type="float" nodename="C" output="outx" /></combine3>
  <combine3 name="BENT" type="vector3">
    <input name="in1" type="float" nodename="C" output="outx" /><input name="in3" type="float" value="1" />
  </combine3>
  <combine2 name="WIDTHS" type="vector2">
    <input name="in1" type="float" nodename="C" output="outx" /><input name="in2" type="float" value="0.3" />
  </combine2>
  <oren_nayar_diffuse_bsdf name="BASE" type="BSDF">
    <input name="color" type="color3" nodename="TINT" />
    <input name="roughness" type="float" nodename="C" output="outy" />
  </oren_nayar_diffuse_bsdf>
  <absorption_vdf name="INK" type="VDF"><input name="absorption" type="vector3" nodename="SIGMA" /></absorption_vdf>
  <layer name="SOAKED" type="BSDF">
    <input name="top" type="BSDF" nodename="BASE" /><input name="base" type="VDF" nodename="INK" />
  </layer>
  <dielectric_bsdf name="COAT" type="BSDF">
    <input name="roughness" type="vector2" nodename="WIDTHS" />
    <input name="normal" type="vector3" nodename="BENT" />
  </dielectric_bsdf>
  <layer name="WET" type="BSDF">
    <input name="top" type="BSDF" nodename="COAT" /><input name="base" type="VDF" nodename="INK" />
  </layer>
  <layer name="B" type="BSDF">
    <input name="top" type="BSDF" nodename="WET" /><input name="base" type="BSDF" nodename="BASE" />
  </layer>
"""


def test_colours_are_found_among_the_inputs(tmp_path):
    """Tint and absorption; not the normal, the widths or the roughness, and not by the number of floats alone."""
    reference = load_reference(write_document(tmp_path, GRAPH))
    u, v = np.float32([0.25, 0.5]), np.float32([0.75, 0.125])
    source = QuerySource(reference, DirectionMix(), marked=True)
    values = np.array([np.asarray(value) for value in source.parameters(u, v)])
    found = colours.colour_inputs(reference)
    triples = [values[first : first + 3] for first in found]
    zero = np.zeros_like(u)
    assert len(values) == reference.parameter_count + 3
    assert sorted(map(np.ndarray.tolist, triples)) == sorted(
        np.float32([t]).tolist()[0] for t in ([u, v, zero], [u, zero, zero])
    )
    np.testing.assert_array_equal(values[-3:, 0], colours.MARK)


def test_a_reference_without_a_graph_has_no_known_colours():
    assert colours.colour_inputs(StandIn(32)) == ()


def test_maps_are_drawn_with_the_probability_asked_for(rng):
    n = 270_000
    drawn = colours.draw(rng, n, 0.5)
    assert drawn.shape == (3, n) and drawn.dtype == np.int8
    counts = np.bincount(drawn[0] * 9 + drawn[1] * 3 + drawn[2], minlength=27)
    identity = 0 * 9 + 1 * 3 + 2
    # Half of the draws keep their colours, the others take one of 27 maps; 6 standard deviations.
    assert counts[identity] == pytest.approx(n * (0.5 + 0.5 / 27), abs=6 * np.sqrt(n) / 2)
    np.testing.assert_allclose(np.delete(counts, identity), n * 0.5 / 27, atol=6 * np.sqrt(n * 0.5 / 27))
    np.testing.assert_array_equal(colours.draw(rng, 100, 0.0), np.repeat([[0], [1], [2]], 100, axis=1))


def test_every_colour_is_mapped_alike_and_nothing_else(rng):
    values = rng.random((8, 5)).astype(np.float32)
    channels = np.int8([[2, 0, 1, 1, 0], [0, 1, 1, 2, 0], [1, 2, 1, 0, 0]])
    got = np.array(colours.mapped_inputs(jnp.asarray(channels), list(jnp.asarray(values)), (1, 5)))
    np.testing.assert_array_equal(got[[0, 4]], values[[0, 4]])
    for first in (1, 5):
        np.testing.assert_array_equal(
            got[first : first + 3], np.take_along_axis(values[first : first + 3], channels, 0)
        )

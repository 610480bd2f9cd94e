"""Shading sorted by material: lanes of one BSDF lie side by side, so that a packet runs one of them, not many."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from verdigris.runtime import mitsuba

BINS = 1024
"""Materials that are told apart; where a scene has more, some share a bin."""


def eval_pdf_sample(
    bsdf: Any, context: Any, si: Any, wo: Any, sample1: Any, sample2: Any, active: Any, at_hand: Any
) -> tuple[Any, Any, Any, Any]:
    """`BSDFPtr.eval_pdf_sample`, in the order of the materials: (value, pdf, sample, weight), 0 where not active.

    It launches kernels, so it must not be called where code is only recorded. at_hand: what is needed afterwards, to be
    computed in the same kernel as what this needs.
    """
    dr = import_module("drjit")
    inputs = (dr.select(active, bsdf, None), si, wo, sample1, sample2)
    dr.eval(inputs, at_hand)
    order = by_material(inputs[0])
    sorted_bsdf, *sorted_inputs = (dr.gather(type(value), value, order) for value in inputs)
    answers = sorted_bsdf.eval_pdf_sample(context, *sorted_inputs)
    restored = tuple(_restored(dr, answer, order) for answer in answers)
    dr.eval(restored)
    return restored


def by_material(bsdf: Any) -> Any:
    """The lanes, UInt32, such that equal BSDFs follow one another: a counting sort, unordered within a bin."""
    mi, dr = mitsuba(), import_module("drjit")
    lanes = dr.arange(mi.UInt32, dr.width(bsdf))
    bin_of = dr.reinterpret_array(mi.UInt32, bsdf) & (BINS - 1)
    counts = dr.zeros(mi.UInt32, BINS)
    dr.scatter_add(counts, mi.UInt32(1), bin_of)
    next_free = dr.prefix_sum(counts)
    order = dr.empty(mi.UInt32, dr.width(bsdf))
    dr.scatter(order, lanes, dr.scatter_inc(next_free, bin_of))
    dr.eval(order)
    return order


def _restored(dr: Any, values: Any, order: Any) -> Any:
    """Values in the order of the lanes that they came from."""
    result = dr.empty(type(values), dr.width(order))
    dr.scatter(result, values, order)
    return result

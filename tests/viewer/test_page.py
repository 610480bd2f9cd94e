"""The page in a real browser, with WebGPU on its software renderer."""

from __future__ import annotations

import numpy as np

from viewer.materials import SCRIPT_NAME


def test_a_picture_appears_and_gets_better(show):
    shown = show()
    shown.samples(3)
    pixels = shown.pixels()
    assert np.isfinite(pixels).all() and pixels[24, 24, :3].sum() > 0
    assert shown.page.locator("#stat-renderer").text_content().startswith("WebGPU")
    assert shown.page.locator("#stat-network").text_content().startswith("4, ")


def test_a_name_that_is_a_script_is_shown_as_text(show):
    shown = show("material=1")
    shown.samples()
    assert SCRIPT_NAME in shown.page.locator("#materials").text_content()
    assert shown.page.evaluate("window.broken") is None

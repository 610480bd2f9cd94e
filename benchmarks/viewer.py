"""How soon and how fast the viewer's page shows an asset, and how near its picture is to Mitsuba's.

    python benchmarks/viewer.py ASSET... [--parity] [--renderer RENDERER]... [-o RESULTS.json]

Headless Chromium on its software graphics processor, the sphere at 128 x 128 under the studio. First picture: since the
page was asked for, the browser running, the assets not cached. A sample: median over the page's own times. --parity:
instead, FLIP of 1024 samples a pixel against Mitsuba's, beside that of two renders by Mitsuba. --renderer: webgpu or
webgl alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from chromium import launched

import verdigris
from verdigris.render.metrics import flip_ldr
from verdigris.render.pathtrace import render_scene
from verdigris.viewer.reference import References, View, reference_scene
from verdigris.viewer.run import listen
from verdigris.viewer.server import Server
from verdigris.viewer.shapes import SHAPES
from verdigris.viewer.site import Site, entry_of

SIDE, SPP, ENVIRONMENT = 128, 1024, "studio"
RENDERERS = ("webgpu", "webgl")
LOADS, SAMPLES, PATIENCE_S = 3, 12, 600


@contextlib.contextmanager
def served(site: Site) -> Iterator[str]:
    """The address of a page, for as long as it is needed."""
    listener = listen(0)
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(Server(site, References([])).app("benchmark", port), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{port}/benchmark/"
    server.should_exit = True
    thread.join()


@contextlib.contextmanager
def opened(browser: Any, address: str, renderer: str, material: int, shape: str, samples: int) -> Iterator[Any]:
    """A page that has so many samples."""
    page = browser.new_context().new_page()
    state = f"material={material}&shape={shape}&environment={ENVIRONMENT}"
    page.goto(f"{address}?side={SIDE}&renderer={renderer}#{state}")
    start = time.monotonic()
    while not page.evaluate(f"window.viewer?.renderer?.samples >= {samples}"):
        assert time.monotonic() - start < PATIENCE_S, "the page has not come so far"
        time.sleep(0.05)
    yield page
    page.context.close()


def timings(browser: Any, address: str, material: int, renderers: Sequence[str]) -> dict[str, Any]:
    """Seconds until the first picture, and milliseconds a sample, by renderer and shape."""
    found: dict[str, Any] = {}
    for renderer in renderers:
        first = []
        for _ in range(LOADS):
            with opened(browser, address, renderer, material, "sphere", 1) as page:
                first.append(page.evaluate("viewer.firstPicture || performance.now()") / 1000)
        row: dict[str, Any] = {"first_picture_s": round(statistics.median(first), 2)}
        for shape in ("sphere", "teapot") if renderer == "webgpu" else ("sphere",):
            with opened(browser, address, renderer, material, shape, SAMPLES) as page:
                row[f"{shape}_sample_ms"] = round(page.evaluate("viewer.milliseconds"), 1)
        found[renderer] = row
    return found


def parity(browser: Any, address: str, material: Any, number: int, renderers: Sequence[str]) -> dict[str, Any]:
    """FLIP against Mitsuba's picture, and of two of Mitsuba's."""
    stage = SHAPES["sphere"]
    view = View(number, "sphere", ENVIRONMENT, stage.origin, stage.target, stage.fov_deg, 0.0, (SIDE, SIDE), SPP)
    scene = reference_scene(material, view)
    first, second = (render_scene(scene, (SIDE, SIDE), SPP, seed) for seed in (1, 2))
    found: dict[str, Any] = {"mitsuba_twice_flip": round(float(flip_ldr(first, second).mean()), 4)}
    for renderer in renderers:
        with opened(browser, address, renderer, number, "sphere", SPP) as page:
            samples, values = page.evaluate(
                "(async () => [viewer.renderer.samples, Array.from(await viewer.renderer.read())])()"
            )
        picture = np.array(values, np.float32).reshape(SIDE, SIDE, 4)[..., :3]
        error = float(flip_ldr(first, picture).mean())
        light = float(picture.mean() / first.mean())
        found[renderer] = {"flip": round(error, 4), "light_over_mitsuba": round(light, 4), "samples": samples}
    return found


def main() -> None:
    """Measures the assets of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("assets", nargs="+", type=Path)
    parser.add_argument("--parity", action="store_true")
    parser.add_argument("--renderer", action="append", choices=RENDERERS)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    materials = [verdigris.load(path) for path in options.assets]
    pairs = zip(materials, options.assets, strict=True)
    site = Site([entry_of(material, path.stem, path.stat().st_size) for material, path in pairs])
    [resource.read() for resource in site.all()]  # so that a page waits for none of the server's first times
    results: dict[str, Any] = {}
    with launched() as browser, served(site) as address:
        for number, (material, path) in enumerate(zip(materials, options.assets, strict=True)):
            renderers = options.renderer or RENDERERS
            if options.parity:
                one = parity(browser, address, material, number, renderers)
            else:
                one = timings(browser, address, number, renderers)
            results[path.stem] = one
            print(path.stem, json.dumps(one))
    if options.output:
        known = json.loads(options.output.read_text()) if options.output.exists() else {}
        for name, one in results.items():
            kind, before = "parity" if options.parity else "timings", known.get(name, {})
            known[name] = before | {kind: before.get(kind, {}) | one}
        options.output.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

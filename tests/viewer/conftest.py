"""A server of the viewer in a thread, and a page that a browser shows of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from mtlx_documents import RED
from verdigris.asset import save
from verdigris.materials.reference import load_reference
from verdigris.viewer.reference import References
from verdigris.viewer.run import listen
from verdigris.viewer.server import Server
from verdigris.viewer.site import Site, entry_of
from viewer.materials import SCRIPT_NAME, glowing_material, small_material


@dataclass(frozen=True)
class Running:
    """A server at work. address: of the page, with its token."""

    address: str
    token: str
    port: int
    site: Site


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with three materials; the first one's source is given."""
    folder = tmp_path_factory.mktemp("viewer")
    (folder / "red.mtlx").write_text(RED)
    entries = [
        entry_of(small_material("plain"), "plain", 100, True),
        entry_of(small_material(SCRIPT_NAME, 1), "x", 100),
        entry_of(glowing_material(), "x", 100),
    ]
    server = Server(Site(entries), References([lambda: load_reference(folder / "red.mtlx"), None, None]))
    listener = listen(0)
    port, token = listener.getsockname()[1], "token-of-the-tests"
    running = uvicorn.Server(uvicorn.Config(server.app(token, port), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield Running(f"http://127.0.0.1:{port}/{token}/", token, port, server.site)
    running.should_exit = True
    thread.join()
    listener.close()


class Shown:
    """A page in the browser, and what it complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)

    def until(self, expression: str, seconds: float = 30) -> Any:
        """Waits for an expression to be true; the page's policy forbids what `wait_for_function` does."""
        for _ in range(int(seconds * 20)):
            if value := self.page.evaluate(expression):
                return value
            self.page.wait_for_timeout(50)
        message = self.page.locator("#message").text_content()
        raise AssertionError(f"{expression} stayed false; message {message!r}; complaints {self.complaints}")

    def samples(self, count: int = 1) -> None:
        """Waits for a picture of so many samples."""
        self.until(f"window.viewer?.renderer?.samples >= {count}")

    def pixels(self) -> Any:
        """The mean of the samples, `[height, width, 4]` linear."""
        import numpy as np

        height, width, values = self.page.evaluate(
            "viewer.renderer.read().then((p) => [viewer.canvas.height, viewer.canvas.width, Array.from(p)])"
        )
        return np.array(values).reshape(height, width, 4)


@pytest.fixture
def show(browser: Any, running: Running) -> Iterator[Callable[..., Shown]]:
    """Opens the page: `show(hash, query)`. No error may be left in its console at the end."""
    opened: list[Shown] = []

    def open_page(state: str = "", query: str = "side=48", address: str | None = None, **options: Any) -> Shown:
        context = browser.new_context(**{"viewport": {"width": 700, "height": 500}, **options})
        shown = Shown(context.new_page())
        opened.append(shown)
        shown.page.goto(f"{address or running.address}?{query}#{state}")
        return shown

    yield open_page
    for shown in opened:
        shown.page.context.close()
        assert not shown.complaints


@pytest.fixture
def asset_file(tmp_path: Path) -> Path:
    """A third material, in a file."""
    path = tmp_path / "third.vdg"
    save(small_material("third", 2), path)
    return path

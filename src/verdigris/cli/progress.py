"""The progress of a bake on a terminal: loss, samples a second, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

if TYPE_CHECKING:
    from verdigris.bake.loop import OnProgress
    from verdigris.bake.loop import Progress as BakeProgress


@contextmanager
def bake_bar(name: str) -> Iterator[tuple[OnProgress, Callable[[str], None]]]:
    """A bar on stderr, one line a phase, and lines between: the block gives both of what it yields to the bake, as
    `on_progress` and as a job's `on_notice`.

    Where stderr is no terminal, only the last state of each phase is printed.
    """
    columns = (
        TextColumn("{task.description:9}"),
        BarColumn(30),
        TextColumn("{task.percentage:3.0f} %  loss {task.fields[loss]:.4f}"),
        TextColumn("{task.fields[rate]:5.2f} Msamples/s  {task.fields[left]}"),
    )
    console = Console(stderr=True)
    # A refresh a chunk is enough; a timer thread would take time from the bake.
    bar, tasks = Progress(*columns, console=console, auto_refresh=False), dict[str, TaskID]()

    def on_progress(now: BakeProgress) -> None:
        if now.phase == "report":
            return
        fields: dict[str, Any] = {
            "loss": now.loss,
            "rate": now.samples_per_second * 1e-6,
            "left": time_left(now.seconds_left),
        }
        if not tasks:
            # Not before: where a bake fails at once, its error is all that is to be seen.
            bar.start()
        if now.phase not in tasks:
            for earlier in tasks.values():
                bar.update(earlier, left="")
            tasks[now.phase] = bar.add_task(now.phase, total=now.steps, **fields)
        bar.update(tasks[now.phase], completed=now.step, total=now.steps, **fields)
        bar.refresh()

    if console.is_terminal:
        console.print(f"Baking {name}")
    try:
        # Soft wrap: a line must not be broken at the width of a terminal, which a file has not.
        yield on_progress, lambda message: console.print(message, soft_wrap=True, markup=False, highlight=False)
    finally:
        if tasks:
            bar.stop()


@contextmanager
def render_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr, one line a picture, while pictures are rendered; nothing where stderr is no terminal.

    The block calls what it yields with a picture's name, the samples a pixel done, and all of them.
    """
    console = Console(stderr=True)
    samples = TextColumn("{task.completed} of {task.total} samples")
    columns = (TextColumn("{task.description:9}"), BarColumn(30), samples)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, auto_refresh=False, transient=True, disable=quiet) as bar:
        tasks: dict[str, TaskID] = {}

        def on_progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, refresh=True)

        yield on_progress


def time_left(seconds: float) -> str:
    """A time as `1:23:45 left`, or `2:03 left`; empty at the end."""
    if not seconds > 0:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"

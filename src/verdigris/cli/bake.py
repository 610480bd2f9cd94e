"""`verdigris bake`: a material document becomes a `.vdg` file."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verdigris.cli import files, settings

if TYPE_CHECKING:
    from verdigris.bake.loop import OnProgress, Progress


def bake(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A .mtlx or Mitsuba .xml file, or library:NAME.")],
    material: Annotated[str | None, typer.Option("-m", "--material", help="Which material of the source.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Default: MATERIAL.vdg, here.")] = None,
    preset: Annotated[str, typer.Option(help="draft, standard or final.")] = "standard",
    resolution: Annotated[int, typer.Option(help="Side of the latent texture in texels.")] = 512,
    latent_bits: Annotated[int, typer.Option(help="Bits of a stored latent: 16, 8 or 4.")] = 16,
    seed: Annotated[int, typer.Option(help="Two bakes with one seed are the same file.")] = 0,
    layering: Annotated[
        str | None,
        typer.Option(help="scale or walk: how the source's layers are combined. Default: walk for library:NAME."),
    ] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder that textures may lie in; repeatable.")] = None,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Be done by then, start-up included: 90, 120s, 2m or 1h.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Write the loss, a line each chunk of queries.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other setting of a bake (docs/baking.md); repeatable."),
    ] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0.0, help="Seconds between two checkpoints; they let a bake that was stopped go on.")
    ] = 30.0,
) -> None:
    """Bake a material into a neural one."""
    start = time.monotonic()
    deadline = None if time_budget is None else start + settings.duration(time_budget)
    if output is not None:
        files.asset_path(output)
    if log is not None:
        files.log_path(log)
    from verdigris.asset import save
    from verdigris.bake import bake as run_bake
    from verdigris.bake import checkpoint
    from verdigris.bake.config import preset as named_preset
    from verdigris.bake.log import chunk_log
    from verdigris.bake.loop import Job
    from verdigris.cli.progress import bake_bar

    changes = settings.changes(setting or [])
    config = named_preset(preset, resolution=resolution, latent_bits=latent_bits, seed=seed, **changes)
    reference = files.load_source(source, material, root, layering)
    output = files.asset_path(output or Path(f"{files.file_stem(reference.name)}.vdg"))
    kept = checkpoint.beside(output)
    try:
        with ExitStack() as stack:
            on_progress, on_notice = stack.enter_context(bake_bar(reference.name))
            if log is not None:
                on_progress = _both(on_progress, stack.enter_context(chunk_log(log)))
            job = Job(kept, checkpoint_seconds, deadline, on_notice)
            neural = run_bake(reference, config, on_progress, job)
    except KeyboardInterrupt:
        if kept.exists():
            typer.echo(f"{kept} keeps what is done: the same command goes on from there", err=True)
        raise
    save(neural, output)
    checkpoint.remove(kept)
    seconds = time.monotonic() - start
    how = "baked as far as the time budget went, " if neural.metadata.report["shortened"] else "baked "
    typer.echo(f"{output}: {output.stat().st_size / 2**20:.2f} MiB, {how}in {seconds:.0f} s")


def _both(first: OnProgress, second: OnProgress) -> OnProgress:
    def on_progress(now: Progress) -> None:
        first(now)
        second(now)

    return on_progress

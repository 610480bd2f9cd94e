"""`verdigris bake`: a material document becomes a `.vdg` file; several become files that share a network."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verdigris.cli import files, interrupts, settings
from verdigris.errors import BakeError

if TYPE_CHECKING:
    from verdigris.bake.loop import OnProgress, Progress
    from verdigris.model import NeuralMaterial


def bake(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="A .mtlx or Mitsuba .xml file, or library:NAME; SOURCE::MATERIAL where it has several materials.",
        ),
    ],
    material: Annotated[str | None, typer.Option("-m", "--material", help="Which material of a lone source.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: MATERIAL.vdg, here; with --shared a folder, shared.")
    ] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Give the materials of all sources one network.")] = False,
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
    """Bake a material into a neural one, or several into neural ones that share a network."""
    start = time.monotonic()
    deadline = None if time_budget is None else start + settings.duration(time_budget)
    _check_sources(sources, material, shared)
    if shared:
        output = files.shared_folder(output or Path("shared"))
    elif output is not None:
        files.asset_path(output)
    if log is not None:
        files.log_path(log)
    from verdigris.bake import bake as run_bake
    from verdigris.bake import bake_shared, checkpoint
    from verdigris.bake.config import preset as named_preset
    from verdigris.bake.log import chunk_log
    from verdigris.bake.loop import Job
    from verdigris.cli.progress import bake_bar

    changes = settings.changes(setting or [])
    config = named_preset(preset, resolution=resolution, latent_bits=latent_bits, seed=seed, **changes)
    named = [(source, material) if material else files.split_source(source) for source in sources]
    references = [files.load_source(source, name, root, layering) for source, name in named]
    names = [reference.name for reference in references]
    if output is None:
        output = files.asset_path(Path(f"{files.file_stem(names[0])}.vdg"))
    kept = checkpoint.beside(output)
    try:
        with ExitStack() as stack:
            on_progress, on_notice = stack.enter_context(bake_bar(", ".join(names)))
            if log is not None:
                on_progress = _both(on_progress, stack.enter_context(chunk_log(log)))
            check = stack.enter_context(interrupts.kept())
            on_progress = _both(on_progress, lambda _: check())
            job = Job(kept, checkpoint_seconds, deadline, on_notice)
            if shared:
                materials = bake_shared(references, config, on_progress, job)
            else:
                materials = [run_bake(references[0], config, on_progress, job)]
    except KeyboardInterrupt:
        if kept.exists():
            typer.echo(f"{kept} keeps what is done: the same command goes on from there", err=True)
        raise
    _save(materials, files.distinct_paths(output, names) if shared else [output], time.monotonic() - start)
    checkpoint.remove(kept)


def _check_sources(sources: list[str], material: str | None, shared: bool) -> None:
    """Raises BakeError where the number of sources does not fit the options."""
    if shared and len(sources) == 1:
        raise BakeError("--shared: expected two sources or more, got 1")
    if len(sources) > 1 and not shared:
        raise BakeError(f"expected one source, got {len(sources)}: with --shared they get one network")
    if len(sources) > 1 and material is not None:
        raise BakeError("-m: expected one source; of several, name each one's material as SOURCE::MATERIAL")


def _save(materials: list[NeuralMaterial], paths: list[Path], seconds: float) -> None:
    """Writes all files, and says so, a line each."""
    from verdigris.asset import save_all

    if len(paths) > 1:
        files.output_folder(paths[0].parent)
    save_all(dict(zip(paths, materials, strict=True)))
    for neural, path in zip(materials, paths, strict=True):
        how = "baked as far as the time budget went, " if neural.metadata.report["shortened"] else "baked "
        typer.echo(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, {how}in {seconds:.0f} s")


def _both(first: OnProgress, second: OnProgress) -> OnProgress:
    def on_progress(now: Progress) -> None:
        first(now)
        second(now)

    return on_progress

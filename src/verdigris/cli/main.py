"""The `verdigris` command: its sub-commands, and how it ends.

Exit codes: 0 done; 1 the input or the machine is at fault, one line on stderr says how; 2 the command line itself is
wrong; 130 interrupted. A traceback means a bug of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from typing import Annotated, Any, NoReturn

import typer

import verdigris.cli.bake
import verdigris.cli.compare
import verdigris.cli.export
import verdigris.cli.import_checkpoint
import verdigris.cli.inspect
import verdigris.cli.list
import verdigris.cli.render
import verdigris.cli.report
import verdigris.cli.view
from verdigris.errors import VerdigrisError

INTERRUPTED = 130

app = typer.Typer(
    help="Bakes layered MaterialX materials into small neural materials and path-traces them.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("bake")(verdigris.cli.bake.bake)
app.command("render")(verdigris.cli.render.render)
app.command("compare")(verdigris.cli.compare.compare)
app.command("report")(verdigris.cli.report.report)
app.command("export")(verdigris.cli.export.export)
app.command("import")(verdigris.cli.import_checkpoint.import_checkpoint)
app.command("inspect")(verdigris.cli.inspect.inspect)
app.command("view")(verdigris.cli.view.view)
app.command("list")(verdigris.cli.list.list_library)

# The base of every complaint about the command line; newer typers carry their own copy of click, so it is found here.
_ClickException: Any = typer.BadParameter.__mro__[2]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"verdigris {installed_version('verdigris')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (default: the process's own) and returns its exit code."""
    try:
        code = typer.main.get_command(app).main(args=arguments, prog_name="verdigris", standalone_mode=False)
    except VerdigrisError as error:
        return _fail(str(error), 1)
    except _ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone (`verdigris list | head`): nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """Entry point of the `verdigris` script."""
    code = run()
    if code == INTERRUPTED:
        # Threads of JAX and of Dr.Jit may be at work still, and to take these down aborts the process now and then.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()

"""The structure of the package, read from its source: who may import whom, what a public function owes its reader."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = SOURCE / "verdigris"

LAYERS = [
    {"errors", "conventions", "runtime"},
    {"materials"},
    {"model"},
    {"asset"},
    {"export"},
    {"bake"},
    {"render"},
    {"viewer"},
    {"cli"},
]
"""From the bottom up: a module imports only from its own layer and the ones below."""

RESTRICTED = {
    "mitsuba": ("materials/", "bake/queries.py", "render/", "runtime.py"),
    "drjit": ("materials/", "bake/queries.py", "render/", "runtime.py"),
    "jax": ("bake/",),
    "jaxlib": ("bake/",),
    "optax": ("bake/",),
    "MaterialX": ("materials/mtlx.py",),
    "flip_evaluator": ("render/",),
    "onnx": ("export/graph.py",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "starlette": ("viewer/",),
    "uvicorn": ("viewer/",),
}
"""Heavy or bordering packages, and the only places that may import them."""

LIGHT = {"numpy", "safetensors", "verdigris"}
"""All that model/, asset/ and export/ import beside the standard library."""

FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def targets(node: ast.AST) -> Iterator[str]:
    """Absolute names of the modules an import statement loads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            yield full if full in MODULES else node.module


def module_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run at import: not inside functions, not under TYPE_CHECKING."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def layer(name: str) -> int | None:
    part = name.split(".")[1] if "." in name else None
    return next((rank for rank, names in enumerate(LAYERS) if part in names), None)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_point_down(path):
    name = module_name(path)
    if name == "verdigris":
        return
    assert layer(name) is not None, f"{relative(path)} is in no layer"
    for node in ast.walk(TREES[path]):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{relative(path)}:{node.lineno} relative import"
        for target in targets(node):
            if target.split(".")[0] != "verdigris":
                continue
            where = f"{relative(path)}:{node.lineno} imports {target}"
            assert target != "verdigris", f"{where}: import the module that defines the name"
            assert layer(target) <= layer(name), f"{where}, from a layer above its own"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_heavy_packages_stay_where_they_belong(path):
    for node in ast.walk(TREES[path]):
        for target in targets(node):
            allowed = RESTRICTED.get(target.split(".")[0])
            assert allowed is None or relative(path).startswith(allowed), f"{relative(path)}:{node.lineno} {target}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_mitsuba_is_imported_only_once_libllvm_is_found(path):
    for node in module_level(TREES[path]):
        # Dr.Jit looks for libLLVM when it is imported, and settles for one that aborts later.
        found = [target for target in targets(node) if target.split(".")[0] in ("mitsuba", "drjit")]
        assert not found, f"{relative(path)}:{node.lineno} call verdigris.runtime.mitsuba() where it is used"


@pytest.mark.parametrize(
    "path", [p for p in FILES if relative(p).startswith(("model/", "asset/", "export/"))], ids=relative
)
def test_model_asset_and_export_need_numpy_alone(path):
    for node in ast.walk(TREES[path]):
        for target in targets(node):
            top = target.split(".")[0]
            light = LIGHT | {name for name, places in RESTRICTED.items() if relative(path) in places}
            assert top in light or top in sys.stdlib_module_names, f"{relative(path)}:{node.lineno} {target}"


def defined(tree: ast.Module) -> set[str]:
    """Names a module defines itself, at its top level."""
    names: set[str] = set()
    for node in module_level(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        for child in ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.With) else ():
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                names.add(child.id)
    return names


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_only_packages_re_export(path):
    for node in ast.walk(TREES[path]):
        if not isinstance(node, ast.ImportFrom) or node.module not in MODULES:
            continue
        home = MODULES[node.module]
        for alias in node.names:
            if home.name == "__init__.py" or f"{node.module}.{alias.name}" in MODULES:
                continue
            where = f"{relative(path)}:{node.lineno}"
            assert alias.name in defined(TREES[home]), f"{where} takes {alias.name} from {node.module}, not its home"


def test_no_import_cycles():
    graph = {
        name: {t for node in module_level(TREES[path]) for t in targets(node) if t in MODULES and t != name}
        for name, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def public_functions(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield owner + node.name, node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{node.name}.")


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_public_functions_are_documented_and_annotated(path):
    if path.name.startswith("_") and path.name != "__init__.py":
        return
    for name, node in public_functions(TREES[path].body):
        where = f"{relative(path)}:{node.lineno} {name}"
        assert ast.get_docstring(node), f"{where} has no docstring"
        assert node.returns is not None, f"{where} does not say what it returns"
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
        assert not bare, f"{where} does not annotate {bare}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_modules_say_what_they_are_and_stay_short(path):
    assert ast.get_docstring(TREES[path]), f"{relative(path)} has no docstring"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, f"{relative(path)}: split it"

"""Numbers that MaterialX's own shaders give for its pattern nodes, for the tests to compare with.

    .venv/bin/python benchmarks/pattern_truth.py            # writes tests/golden/materialx_patterns.json

For every definition of a pattern node in the standard library the official package generates a GLSL shader, with each
input a uniform. `glsl_cpp.py` makes it compile as C++, in a temporary folder; it runs over random inputs, and inputs
and outputs are written, none of the code. Needs g++. The seed is fixed: the same version gives the same file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import glsl_cpp
import MaterialX as mx
import MaterialX.PyMaterialXGenGlsl as gen_glsl
import MaterialX.PyMaterialXGenShader as gen
import numpy as np
from pattern_inputs import SKIPPED, constants_of, draw, samples_of

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden" / "materialx_patterns.json"
WIDTHS = {"float": 1, "integer": 1, "boolean": 1, "color3": 3, "vector3": 3, "vector2": 2, "color4": 4, "vector4": 4}
WIDTHS |= {"matrix33": 9, "matrix44": 16}
TEXELS = 6
"""Side of the image that every file input reads."""
BATCH = 60
"""Shaders in one C++ file: g++ needs about a second for four."""

GRAPHS = {
    "bump_of_fractal": """<fractal2d name="f" type="float"><input name="texcoord" type="vector2" nodename="s" />
        </fractal2d><texcoord name="t" type="vector2" />
        <multiply name="s" type="vector2"><input name="in1" type="vector2" nodename="t" />
        <input name="in2" type="float" value="2.5" /></multiply>
        <bump name="n" type="vector3"><input name="height" type="float" nodename="f" />
        <input name="scale" type="float" value="3" /></bump>""",
    "height_over_scaled_coordinates": """<texcoord name="t" type="vector2" />
        <multiply name="s" type="vector2"><input name="in1" type="vector2" nodename="t" />
        <input name="in2" type="vector2" value="1.5, -0.75" /></multiply>
        <noise2d name="f" type="float"><input name="texcoord" type="vector2" nodename="s" /></noise2d>
        <heighttonormal name="n" type="vector3"><input name="in" type="float" nodename="f" />
        <input name="scale" type="float" value="8" /><input name="texcoord" type="vector2" nodename="s" />
        </heighttonormal>""",
}
"""Documents for what one node alone cannot show: derivatives. The node `n` is read."""


@dataclass
class Case:
    """One shader: its key, node category, GLSL, inputs that vary (name, type, uniform), constants, outputs."""

    key: str
    node: str
    source: str
    uniforms: list[tuple[str, str, str]]
    constants: dict[str, object]
    outputs: dict[str, str]
    samples: int = 8
    values: dict[str, np.ndarray] = field(default_factory=dict)
    uv: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=GOLDEN)
    options = parser.parse_args()
    library = mx.createDocument()
    mx.loadLibraries(mx.getDefaultDataLibraryFolders(), mx.getDefaultDataSearchPath(), library)
    cases, skipped = [], {}
    for definition in sorted(library.getNodeDefs(), key=lambda d: d.getName()):
        for constants in constants_of(definition) if relevant(definition) else []:
            try:
                case = node_case(library, definition, constants)
                if all(f" n_{name} = " in case.source for name in case.outputs):  # else it is passed through
                    cases.append(case)
                else:
                    skipped[definition.getName()] = "the generator passes its input through"
            except Exception as error:  # the generator's own exceptions share no base class
                skipped[definition.getName()] = " ".join(str(error).split())
    cases += [graph_case(library, name, body) for name, body in GRAPHS.items()]
    pixels = np.random.default_rng(1).integers(20, 236, (TEXELS, TEXELS, 4))
    for case in cases:
        seed = np.random.default_rng(zlib.crc32(case.key.encode()))
        case.uv = seed.uniform(-3, 3, (case.samples, 2)).round(3)
        case.values = {name: draw(seed, case, name, kind, WIDTHS[kind]) for name, kind, _ in case.uniforms}
    results = []
    for start in range(0, len(cases), BATCH):
        results += run(cases[start : start + BATCH], pixels)
        print(f"{min(start + BATCH, len(cases))} of {len(cases)} shaders", file=sys.stderr)
    for case, result in zip(cases, results, strict=True):
        if not np.isfinite(result).all():
            print(f"{case.key}: not finite at {case.values}: {result}", file=sys.stderr)
            result[~np.isfinite(result)] = 1e30
    written = [entry(case, result) for case, result in zip(cases, results, strict=True)]
    document = {
        "materialx": mx.getVersionString(),
        "image": pixels.tolist(),
        "graphs": {name: " ".join(body.split()) for name, body in GRAPHS.items()},
        "skipped": skipped,
    }
    text = json.dumps(document)[:-1] + ', "cases": [\n' + ",\n".join(map(json.dumps, written)) + "\n]}\n"
    options.out.write_text(text)
    print(f"{len(written)} cases, {len(text)} bytes, skipped: {skipped}", file=sys.stderr)


def relevant(definition: object) -> bool:
    """Whether a definition is a pattern whose outputs are numbers."""
    source = Path(definition.getSourceUri()).name
    if source not in ("stdlib_defs.mtlx", "pbrlib_defs.mtlx", "cmlib_defs.mtlx"):
        return False
    types = {output.getType() for output in definition.getActiveOutputs()}
    return types <= WIDTHS.keys() and definition.getNodeString() not in SKIPPED


def context() -> tuple[object, object]:
    """A GLSL generator whose inputs are all uniforms, and its context."""
    generator = gen_glsl.GlslShaderGenerator.create()
    made = gen.GenContext(generator)
    made.registerSourceCodeSearchPath(mx.getDefaultDataSearchPath())
    made.getOptions().shaderInterfaceType = gen.ShaderInterfaceType.SHADER_INTERFACE_COMPLETE
    made.getOptions().fileTextureVerticalFlip = False
    return generator, made


def node_case(library: object, definition: object, constants: dict[str, object]) -> Case:
    """The shader of one node that stands alone."""
    document = mx.createDocument()
    document.setDataLibrary(library)
    node = document.addNodeInstance(definition, "n")
    for declared in definition.getActiveInputs():
        name, kind = declared.getName(), declared.getType()
        if declared.getDefaultGeomPropString() in ("Pobject",):
            node.addInput(name, kind).setValueString("0, 0, 0")
        elif not declared.getDefaultGeomPropString():
            node.addInputFromNodeDef(name)
        if name in constants:
            node.getInput(name).setValueString(str(constants[name]))
    outputs = {output.getName(): output.getType() for output in definition.getActiveOutputs()}
    key = "/".join([definition.getName(), *(f"{k}={v}" for k, v in constants.items())])
    return shader_case(node, key, constants, outputs, samples_of(definition.getNodeString()))


def graph_case(library: object, name: str, body: str) -> Case:
    """The shader of a small document's node `n`."""
    document = mx.createDocument()
    mx.readFromXmlString(document, f'<?xml version="1.0"?><materialx version="1.39">{body}</materialx>')
    document.setDataLibrary(library)
    node = document.getNode("n")
    case = shader_case(node, name, {}, {"out": node.getType()}, 16)
    case.uniforms = []
    return case


def shader_case(node: object, key: str, constants: dict[str, object], outputs: dict[str, str], samples: int) -> Case:
    """Generates the GLSL of a node and finds the uniforms of its inputs."""
    generator, made = context()
    shader = generator.generate("n", node, made)
    stage = shader.getStage("pixel")
    uniforms = []
    for block in stage.getUniformBlocks().values():
        for port in block:
            path, kind = port.getPath(), port.getType().getName()
            if path.count("/") == 1 and path.startswith("n/") and kind in WIDTHS:
                if path[2:] not in constants:
                    uniforms.append((path[2:], kind, port.getVariable()))
    strings = {i.getName() for i in node.getInputs() if i.getType() in ("string", "filename")}
    uniforms = [u for u in uniforms if u[0] not in strings]
    return Case(key, node.getCategory(), shader.getSourceCode("pixel"), uniforms, constants, outputs, samples)


def run(cases: list[Case], pixels: np.ndarray) -> list[np.ndarray]:
    """Compiles some shaders and runs each over its inputs: `[samples, floats]` each."""
    texels = ", ".join(f"{x / 255:.9g}f" for x in pixels.ravel())
    code = [glsl_cpp.header((case.source for case in cases), texels, TEXELS, TEXELS)]
    calls = []
    for index, case in enumerate(cases):
        body = glsl_cpp.translate(case.source, (f"n_{name}" for name in case.outputs))
        sets = "".join(f" set(p, {glsl_cpp.renamed(variable)});" for _, _, variable in case.uniforms)
        code.append(f"namespace s{index} {{\n{body}\nstatic void load(const float* p, float u, float v) {{")
        code.append(f"{varyings(case.source)}{sets} }} }}")
        width = sum(WIDTHS[kind] for _, kind, _ in case.uniforms)
        calls.append(f"    sweep(s{index}::load, s{index}::main_, {case.samples}, {width});")
    code.append(_MAIN.replace("CALLS", "\n".join(calls)))
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder) / "patterns.cpp", Path(folder) / "patterns"
        source.write_text("\n".join(code))
        built = subprocess.run(["g++", *glsl_cpp.FLAGS, str(source), "-o", str(binary)], capture_output=True, text=True)
        if built.returncode:
            (kept := Path(tempfile.gettempdir()) / "pattern_truth_failed.cpp").write_text("\n".join(code))
            raise SystemExit(f"g++ failed on {kept}:\n" + built.stderr[:6000])
        data = np.concatenate([stacked(case).ravel() for case in cases]).astype(np.float32)
        out = subprocess.run([str(binary)], input=data.tobytes(), capture_output=True, check=True).stdout
    lines = [np.array(line.split(), dtype=np.float64) for line in out.decode().splitlines()]
    starts = np.cumsum([0, *(case.samples for case in cases)])
    return [np.stack(lines[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]


def varyings(source: str) -> str:
    """C++ that fills the vertex data of a shader at texture coordinates (u, v): the unit square, flat."""
    values = {"position": "vec3(u, v, 0)", "normal": "vec3(0, 0, 1)", "tangent": "vec3(1, 0, 0)"}
    values["bitangent"] = "vec3(0, 1, 0)"
    made = ""
    if "in VertexData" in source:
        for line in source.split("in VertexData")[1].split("} vd;")[0].strip(" {\n").splitlines():
            kind, name = line.strip(" ;").split()
            if name.startswith("texcoord"):
                made += f" vd.{name} = {kind}(u, v{', 0' if kind == 'vec3' else ''});"
            else:
                made += f" vd.{name} = {values[name.removesuffix('World').removesuffix('Object')]};"
    return made


def stacked(case: Case) -> np.ndarray:
    """(u, v, every uniform's floats) of each sample."""
    columns = [case.uv, *(case.values[name].reshape(case.samples, -1) for name, _, _ in case.uniforms)]
    return np.concatenate(columns, axis=1)


def entry(case: Case, result: np.ndarray) -> dict[str, object]:
    """What the file says of one case."""
    outputs, start = {}, 0
    for name, kind in case.outputs.items():
        outputs[name] = [kind, *digits(result[:, start : start + WIDTHS[kind]])]
        start += WIDTHS[kind]
    inputs = {name: [kind, *digits(case.values[name])] for name, kind, _ in case.uniforms}
    about = {"key": case.key, "node": case.node, "constants": case.constants}
    return {**about, "uv": digits(case.uv), "in": inputs, "out": outputs}


def digits(values: np.ndarray) -> list[object]:
    """Rows of numbers, seven significant digits."""
    rows = values.reshape(len(values), -1).tolist()
    return [[float(f"{x:.7g}") if x != round(x) else int(x) for x in row] for row in rows]


_MAIN = """
template <class L, class M> void sweep(L load, M main_, int samples, int width) {
    std::vector<float> row(2 + width);
    for (int k = 0; k < samples; ++k) {
        if (fread(row.data(), 4, row.size(), stdin) != row.size()) exit(1);
        const float u = row[0], v = row[1];
        for (int i = 0; i < 4; ++i) {
            run_index = i; seen[i].clear();
            load(row.data() + 2, u + (i == 0 ? STEP : i == 1 ? -STEP : 0), v + (i == 2 ? STEP : i == 3 ? -STEP : 0));
            main_();
        }
        run_index = -1; call_index = 0; results.clear();
        load(row.data() + 2, u, v); main_();
        for (float x : results) printf("%.9g ", x);
        printf("\\n");
    }
}
}
int main() { using namespace glsl;
CALLS
}
"""


if __name__ == "__main__":
    main()

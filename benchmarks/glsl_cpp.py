"""Runs generated GLSL as C++: a header with GLSL's types and functions, and the few rewritings the language needs.

No GPU and no driver: g++ compiles the functions with float arithmetic as GLSL prescribes it, without contraction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

FLAGS = ["-std=c++17", "-O1", "-fsingle-precision-constant", "-ffp-contract=off", "-fpermissive", "-w"]
"""Constants are floats, as in GLSL; no fused multiply-add."""

_UNARY = ("floor", "ceil", "round", "trunc", "sqrt", "exp", "sin", "cos", "tan", "asin", "acos")
_LETTERS = ("xyzw", "rgba")


def header(sources: Iterable[str], texels: str, width: int, height: int) -> str:
    """C++ that makes GLSL text compile, inside namespace `glsl`, which it leaves open.

    sources: the GLSL, of which the swizzles are collected. texels: float literals, RGBA, row 0 at v = 0, that every
    sampler reads, with linear filtering and periodic addressing.
    """
    text = "\n".join(sources)
    swizzles = {word for word in re.findall(r"\.([xyzw]{2,4}|[rgba]{2,4})\b", text)}
    parts = [_PRELUDE]
    parts += [_vector(n, swizzles) for n in (2, 3, 4)]
    parts += [_integers(kind, name) for kind, name in (("int", "ivec"), ("uint", "uvec"), ("bool", "bvec"))]
    parts += [_conversions(n) for n in (2, 3, 4)]
    parts += [_functions(n) for n in (2, 3, 4)]
    parts += [_matrix(n) for n in (2, 3, 4)]
    parts.append(_TAIL.replace("TEXELS", texels).replace("WIDTH", str(width)).replace("HEIGHT", str(height)))
    return "\n".join(parts)


def translate(source: str, outputs: Iterable[str]) -> str:
    """GLSL pixel shader -> C++: uniforms and varyings become globals, `main` hands its local `outputs` to `put`."""
    lines = [line for line in source.splitlines() if not re.match(r"#version|out vec4 ", line)]
    text = re.sub(r"^uniform ", "static ", "\n".join(lines), flags=re.M)
    text = re.sub(r"^static sampler2D (\w+);", r"static sampler2D \1 = 0;", text, flags=re.M)
    text = re.sub(r"^in VertexData\s*\{(.*?)\} vd;", r"static struct {\1} vd;", text, flags=re.M | re.S)
    text = re.sub(r"\b(?:in)?out (\w+) (\w+)(?=\s*[,)])", r"\1& \2", text)
    text = renamed(text)
    body, main = text.split("void main()", 1)
    main = main[: main.rindex("}")]
    main = main[: main.rstrip().rindex("\n")]  # the last line packs a colour
    puts = "".join(f"    put({name});\n" for name in outputs)
    return f"{body}static void main_()\n{main}\n{puts}}}\n"


def renamed(text: str) -> str:
    """The text with uniforms that share a function's name called otherwise: C++ does not tell them apart."""
    return re.sub(r"\b(max|min)\b(?!\s*\()", r"\1_", text)


_PRELUDE = """#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#include <string>
#include <map>
namespace glsl {
typedef unsigned int uint;
typedef int sampler2D;
struct vec2; struct vec3; struct vec4;
template <int N> struct vec_of; template <> struct vec_of<2> { typedef vec2 type; };
template <> struct vec_of<3> { typedef vec3 type; }; template <> struct vec_of<4> { typedef vec4 type; };
template <int M, int A, int B, int C = -1, int D = -1> struct swizzle {
    float s[M];
    static constexpr int N = C < 0 ? 2 : D < 0 ? 3 : 4;
    typedef typename vec_of<N>::type V;
    operator V() const;
    void operator=(const V& v);
};
"""


def _vector(n: int, swizzles: set[str]) -> str:
    fields = []
    for letters in _LETTERS:
        fields.append(f"struct {{ float {', '.join(letters[:n])}; }};")
        for word in sorted(swizzles):
            if all(c in letters[:n] for c in word):
                fields.append(f"swizzle<{n}, {', '.join(str(letters.index(c)) for c in word)}> {word};")
    names = [f"a{i}" for i in range(n)]
    constructors = [
        f"vec{n}() {{ for (int i = 0; i < {n}; ++i) v[i] = 0; }}",
        f"explicit vec{n}(float a) {{ for (int i = 0; i < {n}; ++i) v[i] = a; }}",
        f"vec{n}({', '.join('float ' + a for a in names)}) {{ {' '.join(f'v[{i}] = a{i};' for i in range(n))} }}",
    ]
    assigned = "".join(
        f"vec{n}& operator{op}=(const vec{n}& o) {{ for (int i = 0; i < {n}; ++i) v[i] {op}= o.v[i]; return *this; }}\n"
        f"vec{n}& operator{op}=(float o) {{ for (int i = 0; i < {n}; ++i) v[i] {op}= o; return *this; }}\n"
        for op in "+-*/"
    )
    free = "".join(
        f"inline vec{n} operator{op}(vec{n} a, const vec{n}& b) {{ a {op}= b; return a; }}\n"
        f"inline vec{n} operator{op}(vec{n} a, float b) {{ a {op}= b; return a; }}\n"
        f"inline vec{n} operator{op}(float a, const vec{n}& b) {{ vec{n} r(a); r {op}= b; return r; }}\n"
        for op in "+-*/"
    )
    more = {
        2: "template <class T> explicit vec2(const T& t, decltype(t.is_integers)* = 0) : vec2(t.x, t.y) {}",
        3: "vec3(const vec2& a, float b); vec3(float a, const vec2& b); explicit vec3(const vec4& a);",
        4: "vec4(const vec3& a, float b); vec4(const vec2& a, float b, float c); vec4(const vec2& a, const vec2& b);",
    }[n]
    return f"""struct vec{n} {{
union {{ float v[{n}]; {" ".join(fields)} }};
{" ".join(constructors)}
{more}
float& operator[](int i) {{ return v[i]; }}
float operator[](int i) const {{ return v[i]; }}
vec{n} operator-() const {{ vec{n} r; for (int i = 0; i < {n}; ++i) r.v[i] = -v[i]; return r; }}
{assigned}}};
{free}inline bool operator==(const vec{n}& a, const vec{n}& b) {{ return !memcmp(a.v, b.v, sizeof a.v); }}
"""


def _integers(kind: str, name: str) -> str:
    made = []
    for n in (2, 3, 4):
        fields = "xyzw"[:n]
        sums = "".join(
            f"inline {name}{n} operator{op}(const {name}{n}& a, const {name}{n}& b)"
            f" {{ return {name}{n}({', '.join(f'a.{c} {op} b.{c}' for c in fields)}); }}\n"
            for op in "+-"
        )
        made.append(
            f"struct {name}{n} {{ {kind} {', '.join(fields)}; typedef int is_int; int* is_integers;\n"
            f"{name}{n}() {{}} {name}{n}({', '.join(f'{kind} {c}_' for c in fields)})"
            f" : {', '.join(f'{c}({c}_)' for c in fields)} {{}}\n"
            f"explicit {name}{n}(const vec{n}& o) : {name}{n}({', '.join(f'{kind}(o.{c})' for c in fields)}) {{}} }};\n"
            + (sums if kind != "bool" else "")
        )
    return "".join(made)


def _conversions(n: int) -> str:
    more = {
        2: "",
        3: "inline vec3::vec3(const vec2& a, float b) : vec3(a.x, a.y, b) {}\n"
        "inline vec3::vec3(float a, const vec2& b) : vec3(a, b.x, b.y) {}\n"
        "inline vec3::vec3(const vec4& a) : vec3(a.x, a.y, a.z) {}\n",
        4: "inline vec4::vec4(const vec3& a, float b) : vec4(a.x, a.y, a.z, b) {}\n"
        "inline vec4::vec4(const vec2& a, float b, float c) : vec4(a.x, a.y, b, c) {}\n"
        "inline vec4::vec4(const vec2& a, const vec2& b) : vec4(a.x, a.y, b.x, b.y) {}\n",
    }[n]
    if n != 4:
        return more
    return (
        more
        + """template <int M, int A, int B, int C, int D> swizzle<M, A, B, C, D>::operator V() const {
    const int k[4] = {A, B, C, D}; V r; for (int i = 0; i < N; ++i) r.v[i] = s[k[i]]; return r; }
template <int M, int A, int B, int C, int D> void swizzle<M, A, B, C, D>::operator=(const V& o) {
    const int k[4] = {A, B, C, D}; for (int i = 0; i < N; ++i) s[k[i]] = o.v[i]; }
inline float fract(float x) { return x - std::floor(x); }
inline float mod(float x, float y) { return x - y * std::floor(x / y); }
inline float abs(float x) { return std::fabs(x); }
inline int abs(int x) { return x < 0 ? -x : x; }
inline float sign(float x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
inline float log(float x) { return std::log(x); }
inline float radians(float x) { return x * 3.14159265358979f / 180; }
inline float inversesqrt(float x) { return 1 / std::sqrt(x); }
inline float atan(float y, float x) { return std::atan2(y, x); }
inline float atan(float x) { return std::atan(x); }
inline float pow(float x, float y) { return std::pow(x, y); }
inline float min(float a, float b) { return b < a ? b : a; }
inline float max(float a, float b) { return a < b ? b : a; }
inline int min(int a, int b) { return b < a ? b : a; }
inline int max(int a, int b) { return a < b ? b : a; }
inline float clamp(float x, float a, float b) { return min(max(x, a), b); }
inline float mix(float a, float b, float t) { return a * (1 - t) + b * t; }
inline float step(float e, float x) { return x < e ? 0 : 1; }
inline float smoothstep(float a, float b, float x) {
    float t = clamp((x - a) / (b - a), 0, 1); return t * t * (3 - 2 * t); }
inline float length(float x) { return std::fabs(x); }
"""
        + "".join(f"inline float {f}(float x) {{ return std::{f}(x); }}\n" for f in _UNARY)
    )


def _functions(n: int) -> str:
    v = f"vec{n}"

    def each(signature: str, expression: str) -> str:
        return f"inline {v} {signature} {{ {v} r; for (int i = 0; i < {n}; ++i) r.v[i] = {expression}; return r; }}\n"

    made = "".join(
        each(f"{f}(const {v}& a)", f"{f}(a.v[i])")
        for f in (*_UNARY, "fract", "abs", "sign", "log", "radians", "inversesqrt")
    )
    for f in ("mod", "pow", "min", "max", "atan", "step"):
        made += each(f"{f}(const {v}& a, const {v}& b)", f"{f}(a.v[i], b.v[i])")
    for f in ("mod", "min", "max"):
        made += each(f"{f}(const {v}& a, float b)", f"{f}(a.v[i], b)")
    for kinds in product((f"const {v}&", "float"), repeat=2):
        b, c = ("b.v[i]" if kinds[0] != "float" else "b"), ("c.v[i]" if kinds[1] != "float" else "c")
        if kinds[0] == kinds[1]:
            made += each(f"clamp(const {v}& a, {kinds[0]} b, {kinds[1]} c)", f"clamp(a.v[i], {b}, {c})")
            made += each(f"smoothstep({kinds[0]} b, {kinds[1]} c, const {v}& a)", f"smoothstep({b}, {c}, a.v[i])")
    made += each(f"mix(const {v}& a, const {v}& b, const {v}& t)", "mix(a.v[i], b.v[i], t.v[i])")
    made += each(f"mix(const {v}& a, const {v}& b, float t)", "mix(a.v[i], b.v[i], t)")
    bits = ", ".join(f"a.{c} > b.{c}" for c in "xyzw"[:n])
    chosen = ", ".join(f"t.{c} ? b.{c} : a.{c}" for c in "xyzw"[:n])
    made += f"inline bvec{n} greaterThan(const {v}& a, const {v}& b) {{ return bvec{n}({bits}); }}\n"
    made += f"inline {v} mix(const {v}& a, const {v}& b, const bvec{n}& t) {{ return {v}({chosen}); }}\n"
    products = " + ".join(f"a.v[{i}] * b.v[{i}]" for i in range(n))
    made += f"inline float dot(const {v}& a, const {v}& b) {{ return {products}; }}\n"
    made += f"inline float length(const {v}& a) {{ return std::sqrt(dot(a, a)); }}\n"
    made += f"inline {v} normalize(const {v}& a) {{ return a / length(a); }}\n"
    made += f"inline {v} reflect(const {v}& i, const {v}& n) {{ return i - 2.0 * dot(n, i) * n; }}\n"
    return made


def _matrix(n: int) -> str:
    m, v = f"mat{n}", f"vec{n}"
    names = [f"a{i}" for i in range(n * n)]
    columns = " ".join(f"c[{i}] = {v}({', '.join(names[i * n : i * n + n])});" for i in range(n))

    def each(signature: str, statement: str, local: str = "") -> str:
        return f"inline {signature} {{ {local} for (int i = 0; i < N; ++i) {statement}; return r; }}\n"

    made = "".join(
        each(f"{m} operator{op}({m} r, const {m}& b)", f"r.c[i] {op}= b.c[i]")
        + each(f"{m} operator{op}({m} r, float b)", f"r.c[i] {op}= b")
        for op in "+-"
    )
    made += each(f"{m} operator/({m} r, float b)", "r.c[i] /= b")
    made += each(f"{v} operator*(const {m}& a, const {v}& b)", "r += a.c[i] * b.v[i]", f"{v} r;")
    made += each(f"{v} operator*(const {v}& a, const {m}& b)", "r.v[i] = dot(a, b.c[i])", f"{v} r;")
    made += each(f"{m} operator*(const {m}& a, const {m}& b)", "r.c[i] = a * b.c[i]", f"{m} r;")
    made += each(f"{m} transpose(const {m}& a)", "for (int j = 0; j < N; ++j) r.c[i].v[j] = a.c[j].v[i]", f"{m} r;")
    return f"""struct {m} {{ {v} c[{n}]; {m}() {{}}
explicit {m}(float d) {{ for (int i = 0; i < {n}; ++i) c[i].v[i] = d; }}
{m}({", ".join("float " + a for a in names)}) {{ {columns} }}
{v}& operator[](int i) {{ return c[i]; }} const {v}& operator[](int i) const {{ return c[i]; }} }};
""" + re.sub(r"\bN\b", str(n), made + _ELIMINATION.replace("MAT", m))


_ELIMINATION = """inline float eliminate(const MAT& a, double w[N][2 * N]) {  // Gauss-Jordan on (a, 1); its determinant
    double d = 1;
    for (int i = 0; i < N; ++i) for (int j = 0; j < N; ++j) { w[i][j] = a.c[j].v[i]; w[i][N + j] = i == j; }
    for (int k = 0; k < N; ++k) {
        int p = k;
        for (int i = k; i < N; ++i) if (std::fabs(w[i][k]) > std::fabs(w[p][k])) p = i;
        if (p != k) { d = -d; for (int j = 0; j < 2 * N; ++j) std::swap(w[k][j], w[p][j]); }
        const double pivot = w[k][k];
        d *= pivot;
        for (int j = 0; j < 2 * N; ++j) w[k][j] /= pivot;
        for (int i = 0; i < N; ++i) if (i != k) {
            const double f = w[i][k];
            for (int j = 0; j < 2 * N; ++j) w[i][j] -= f * w[k][j];
        }
    }
    return float(d); }
inline float determinant(const MAT& a) { double w[N][2 * N]; return eliminate(a, w); }
inline MAT inverse(const MAT& a) {
    double w[N][2 * N]; eliminate(a, w); MAT r;
    for (int i = 0; i < N; ++i) for (int j = 0; j < N; ++j) r.c[j].v[i] = float(w[i][N + j]);
    return r; }
"""

_TAIL = """
inline vec3 cross(const vec3& a, const vec3& b) {
    return vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x); }
static const float texels[] = {TEXELS};
inline vec4 texel(int x, int y) {
    x = ((x % WIDTH) + WIDTH) % WIDTH; y = ((y % HEIGHT) + HEIGHT) % HEIGHT;
    const float* t = texels + 4 * (y * WIDTH + x); return vec4(t[0], t[1], t[2], t[3]); }
inline vec4 texture(sampler2D, const vec2& uv) {
    float x = uv.x * WIDTH - 0.5, y = uv.y * HEIGHT - 0.5;
    int i = int(std::floor(x)), j = int(std::floor(y));
    float s = x - i, t = y - j;
    return mix(mix(texel(i, j), texel(i + 1, j), s), mix(texel(i, j + 1), texel(i + 1, j + 1), s), t); }
inline vec4 textureGrad(sampler2D s, const vec2& uv, const vec2&, const vec2&) { return texture(s, uv); }

// Screen-space derivatives: the shader runs at four points around, the arguments of the k-th call are kept, and the
// run at the point itself differences them. A pixel covers PIXEL units of uv.
static const float PIXEL = 1.0f / 1024, STEP = 1.0f / 2048;
static std::vector<std::vector<float>> seen[4];
static int run_index = -1; static size_t call_index = 0;
inline std::vector<float> floats(float x) { return {x}; }
inline std::vector<float> floats(const vec2& x) { return {x.x, x.y}; }
inline void from(const std::vector<float>& f, float& x) { x = f[0]; }
inline void from(const std::vector<float>& f, vec2& x) { x = vec2(f[0], f[1]); }
template <class T> T derivative(const T& x, int axis) {
    T result = x; std::vector<float> f = floats(x);
    if (run_index >= 0) { seen[run_index].push_back(f); return x - x; }
    const std::vector<float>&a = seen[2 * axis][call_index], &b = seen[2 * axis + 1][call_index];
    ++call_index;
    for (size_t i = 0; i < f.size(); ++i) f[i] = (a[i] - b[i]) / (2 * STEP) * PIXEL;
    from(f, result); return result; }
inline float dFdx(float x) { return derivative(x, 0); } inline float dFdy(float x) { return derivative(x, 1); }
inline vec2 dFdx(const vec2& x) { return derivative(x, 0); }
inline vec2 dFdy(const vec2& x) { return derivative(x, 1); }

static std::vector<float> results;
inline void put(float x) { if (run_index < 0) results.push_back(x); }
inline void put(int x) { put(float(x)); }
inline void put(bool x) { put(float(x)); }
inline void put(const vec2& a) { for (int i = 0; i < 2; ++i) put(a.v[i]); }
inline void put(const vec3& a) { for (int i = 0; i < 3; ++i) put(a.v[i]); }
inline void put(const vec4& a) { for (int i = 0; i < 4; ++i) put(a.v[i]); }
inline void put(const mat3& a) { for (int i = 0; i < 3; ++i) put(a.c[i]); }
inline void put(const mat4& a) { for (int i = 0; i < 4; ++i) put(a.c[i]); }
inline void set(const float*& p, float& x) { x = *p++; }
inline void set(const float*& p, int& x) { x = int(*p++); }
inline void set(const float*& p, bool& x) { x = *p++ != 0; }
inline void set(const float*& p, vec2& x) { for (int i = 0; i < 2; ++i) x.v[i] = *p++; }
inline void set(const float*& p, vec3& x) { for (int i = 0; i < 3; ++i) x.v[i] = *p++; }
inline void set(const float*& p, vec4& x) { for (int i = 0; i < 4; ++i) x.v[i] = *p++; }
inline void set(const float*& p, mat3& x) { for (int i = 0; i < 3; ++i) set(p, x.c[i]); }
inline void set(const float*& p, mat4& x) { for (int i = 0; i < 4; ++i) set(p, x.c[i]); }
"""

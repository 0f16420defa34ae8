"""C for entrywise work and small products, in one Python file: the source, how it is compiled, and a NumPy face."""

from __future__ import annotations

import re
from collections.abc import Sequence

from whence.emit.arrays import INDENT, assembled, documented, helper_names, main_name, plan_of, value_function
from whence.emit.body import parameters_of, size_lines, size_text
from whence.emit.document import described
from whence.emit.graph import ONE, Node
from whence.emit.loops import Loops
from whence.emit.names import C_WORDS, Names
from whence.emit.plan import Plan, lowered, planned, reachable
from whence.emit.program import Program
from whence.emit.trial import Trial
from whence.emit.writer import WRITERS
from whence.messages.code_texts import CODE_TEXTS
from whence.messages.errors import ReadError
from whence.ops.table import TABLE

GRADIENTS = "gradients"
# Every exported symbol begins with this: a function called step would be taken for that of the C library.
PREFIX = "emitted_"
# Names in the C text, and in the Python around it.
_OWN_WORDS = ("work", "matmul", "gemm", "quick_exp", "i", "j", "build", "lend_gemm", "library", "self", "strict")

_PRELUDE = """\
#include <float.h>
#include <math.h>
#include <tgmath.h>

#define REAL_MAX ((REAL)(sizeof(REAL) == 4 ? FLT_MAX : DBL_MAX))
#define EXPORTED __attribute__((visibility("default")))
"""

_EXP = """
#if defined(__FAST_MATH__) && defined(FLOATS) && __GNUC__ >= 12
/* exp of a float to its last digit or so, in a form that loops over many at once. */
static inline float quick_exp(float x)
{
    union { float value; int bits; } out;
    x = x > 88.3f ? 88.3f : x;
    x = x < -87.3f ? -87.3f : x;
    const float n = rintf(x*1.44269504088896341f);
    float r = __builtin_assoc_barrier(x - n*0.693359375f);
    r = __builtin_assoc_barrier(r + n*2.12194440e-4f);
    out.value = ((((((1.9875691500e-4f*r + 1.3981999507e-3f)*r + 8.3334519073e-3f)*r + 4.1665795894e-2f)*r
                + 1.6666665459e-1f)*r + 5.0000001201e-1f)*r + 1.0f)*r + 1.0f;
    out.bits += (int)n << 23; /* times 2 to the power n */
    return out.value;
}
#undef exp
#define exp(x) quick_exp(x)
#endif
"""

_MATMUL = """\
typedef void (*gemm_function)(char *, char *, int *, int *, int *, REAL *, const REAL *, int *, const REAL *, int *,
                              REAL *, REAL *, int *);
static gemm_function gemm = 0;

EXPORTED void emitted_set_gemm(gemm_function given) { gemm = given; }

/* c (n x m) = a (n x k) @ b (k x m), where ta or tb is 1 for a factor that lies there transposed. */
static void matmul(const REAL *restrict a, int ta, const REAL *restrict b, int tb, REAL *restrict c,
                   long n, long k, long m)
{
    if (gemm && n*k*m > 65536) {
        char no = 'N', yes = 'T';
        int columns = (int)m, rows = (int)n, inner = (int)k, lda = (int)(ta ? n : k), ldb = (int)(tb ? k : m);
        REAL one = 1, zero = 0;
        gemm(tb ? &yes : &no, ta ? &yes : &no, &columns, &rows, &inner, &one, b, &ldb, a, &lda, &zero, c, &columns);
        return;
    }
    if (tb && m*8 < k) {
        for (long i = 0; i < n; i++)
            for (long j = 0; j < m; j++) {
                REAL s = 0;
                for (long l = 0; l < k; l++) s += (ta ? a[l*n + i] : a[i*k + l])*b[j*k + l];
                c[i*m + j] = s;
            }
        return;
    }
    for (long i = 0; i < n; i++) {
        for (long j = 0; j < m; j++) c[i*m + j] = 0;
        for (long l = 0; l < k; l++) {
            const REAL s = ta ? a[l*n + i] : a[i*k + l];
            if (tb) for (long j = 0; j < m; j++) c[i*m + j] += s*b[j*k + l];
            else for (long j = 0; j < m; j++) c[i*m + j] += s*b[l*m + j];
        }
    }
}
"""

_BUILD = '''\
def build(dtype, strict=False):
    """The compiled functions for float32 or float64; compiled once, then found in the folder for temporary files.

    strict: keep infinities, NaN and the order of additions, at the price of speed.
    """
    kind = "float" if np.dtype(dtype) == np.float32 else "double"
    flags = ["-O3", "-march=native", "-fPIC", "-fvisibility=hidden", "-std=gnu11", f"-DREAL={kind}"]
    flags += ["-funroll-loops", "-fvariable-expansion-in-unroller", "--param", "max-variable-expansions-in-unroller=4"]
    flags += [] if strict else ["-ffast-math"]
    flags += ["-fsingle-precision-constant", "-DFLOATS"] if kind == "float" else []
    key = hashlib.sha256("\\0".join([SOURCE, *flags, platform.node()]).encode()).hexdigest()[:16]
    folder = os.path.join(tempfile.gettempdir(), f"emitted-{os.getuid()}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    library = os.path.join(folder, f"{key}.so")
    if os.stat(folder).st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    if not os.path.exists(library):
        with tempfile.TemporaryDirectory(dir=folder) as work:
            source, made, joined = (os.path.join(work, f"code.{end}") for end in ("c", "o", "so"))
            with open(source, "w", encoding="ascii") as stream:
                stream.write(SOURCE)
            subprocess.run(["gcc", *flags, "-c", source, "-o", made], check=True)
            # Linked without -ffast-math, which would change how the whole process treats tiny numbers.
            subprocess.run(["gcc", "-shared", "-Wl,-Bsymbolic", made, "-o", joined, "-lm"], check=True)
            os.replace(joined, library)
    return ctypes.CDLL(library)


def lend_gemm(library, dtype):
    """Lend the compiled code the matrix product of SciPy's BLAS, where SciPy is installed."""
    try:
        import scipy.linalg.cython_blas as blas
    except ImportError:
        return
    capsule = blas.__pyx_capi__["sgemm" if np.dtype(dtype) == np.float32 else "dgemm"]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    library.emitted_set_gemm.argtypes = [ctypes.c_void_p]
    library.emitted_set_gemm(pointer(capsule, name(capsule)))
'''


def c_module(program: Program) -> str:
    """The module whose gradients are computed by compiled C. Raises RuleError `outside-scope` beyond loops."""
    if program.functions:
        raise ReadError("bad-option", found="c", expected="known functions only")
    reserved = _words_of_c() | {*_OWN_WORDS, GRADIENTS, "Gradients", main_name(program), "value", "test_derivatives"}
    names = Names(helper_names() | reserved)
    for name in (*program.inputs, *(n for n, _ in program.statements), *program.dims):
        names[name]
    plan = lowered(program, names, steady=True)
    done = planned(plan, plan.outputs, "c")
    loops, results = _loops(program, plan, done)
    order = reachable(done.outputs)
    symbols = sorted({s for n in order for d in n.shape for s in d.symbols} | _sizes_of(order))
    sizes, missing = size_lines(program.inputs, symbols, names)
    parameters, _ = parameters_of(program, plan.low, order, names)
    if missing or len(parameters) > len(program.inputs):
        raise ReadError("bad-option", found="c", expected="a model whose inputs tell all sizes")
    source = _source(program, loops, results, [names[s] for s in symbols], names)
    check = _plain_value(program, reserved)
    face = _face(program, loops, results, [names[s] for s in symbols], sizes, names)
    test = _test(program, plan, parameters, check[1])
    functions = [
        f'SOURCE = r"""\n{source}"""\n',
        _build_text(loops.products),
        face,
        *check[0],
        *([] if program.structured else [test]),
    ]
    return _assembled(program, functions)


def _words_of_c() -> set[str]:
    """The words of the language, and the functions of its library that texts of the table call."""
    out: set[str] = {*C_WORDS.split()}
    for op in TABLE.values():
        out.update(m.group() for t in (op.c, op.whole.get("c", "")) for m in re.finditer(r"(?<!\{)\b[A-Za-z_]\w*", t))
    return out


def _sizes_of(order: Sequence[Node]) -> set[str]:
    return {s for n in order if n.kind == "size" for s in n.data.symbols}


def _loops(program: Program, plan: Plan, done: Plan) -> tuple[Loops, list[tuple[str, Node]]]:
    """The statements, and the arrays of the results with what they hold."""
    outputs: dict[Node, str] = {}
    results: list[tuple[str, Node]] = []
    for output, node in zip(program.outputs, done.outputs, strict=True):
        name = plan.names[output.name]
        results.append((name, node))
        if node not in outputs and not node.scalar and node.kind not in ("input", "transpose", "axes", "number"):
            outputs[node] = name
    loops = Loops(plan.graph, plan.names, outputs)
    loops.demand(done.outputs)
    loops.write(loops.steps(done.outputs, set(done.called)))
    for name, node in results:
        if outputs.get(node) != name:
            loops.lines += _copied(loops, name, node)
    return loops, results


def _copied(loops: Loops, name: str, node: Node) -> list[str]:
    """A result that no step has written: a number, an input, a transpose."""
    loops.local = {}
    if node.scalar:
        return [f"{name}[0] = {loops.at(node, '0', '0')};"]
    rows, columns = (loops.size(d) for d in node.shape)
    at = "i*" + columns + " + j"
    return [
        f"for (long i = 0; i < {rows}; i++)",
        f"{INDENT}for (long j = 0; j < {columns}; j++) {name}[{at}] = {loops.at(node, 'i', 'j')};",
    ]


def _source(
    program: Program, loops: Loops, results: Sequence[tuple[str, Node]], symbols: list[str], names: Names
) -> str:
    inputs = [names[n] for n in program.inputs]
    parameters = [
        *(f"long {s}" for s in symbols),
        *(f"const REAL *restrict {n}" for n in inputs),
        *(f"REAL *restrict {n}" for n, _ in results),
        "REAL *restrict work",
    ]
    place, lines = "work", []
    for name, shape in loops.arrays.items():
        lines.append(f"REAL *restrict {name} = {place};")
        place = f"{name} + {_length(shape, names)}"
    body = [*lines, *loops.lines]
    head = (
        _PRELUDE + (_EXP if any("exp(" in line for line in body) else "") + ("\n" + _MATMUL if loops.products else "")
    )
    signature = ",\n        ".join(parameters)
    inner = "\n".join(INDENT + line for line in body)
    return f"{head}\nEXPORTED void {PREFIX}{GRADIENTS}(\n        {signature})\n{{\n{inner}\n}}\n"


def _length(shape: tuple, names: Names) -> str:
    return "*".join(f"({size_text(d, names)})" for d in shape if d != ONE) or "1"


def _build_text(products: bool) -> str:
    return _BUILD if products else _BUILD[: _BUILD.index("\n\ndef lend_gemm")]


def _face(
    program: Program,
    loops: Loops,
    results: Sequence[tuple[str, Node]],
    symbols: list[str],
    sizes: list[str],
    names: Names,
) -> str:
    inputs = [names[n] for n in program.inputs]
    given = ", ".join(inputs)
    first = next((names[n] for n, s in program.inputs.items() if any(d.number != 1 for d in s)), inputs[0])
    work = " + ".join(_length(s, names) for s in loops.arrays.values()) or "1"
    deep = INDENT * 2
    lines = [
        "class Gradients:",
        f'{INDENT}"""{CODE_TEXTS["bound"]}"""',
        "",
        f"{INDENT}def __init__(self, {given}, strict=False):",
        f"{deep}dtype = np.float32 if np.asarray({first}).dtype == np.float32 else np.float64",
        f"{deep}{given}{',' if len(inputs) == 1 else ''} = self.inputs = tuple(",
        f"{deep}{INDENT}np.require(x, dtype, 'C') for x in ({given}{',' if len(inputs) == 1 else ''})",
        f"{deep})",
        *(deep + t for t in sizes),
    ]
    made = []
    for (name, node), output in zip(results, program.outputs, strict=True):
        shape = node.shape if not node.scalar else output.shape
        sized = ", ".join(size_text(d, names) for d in shape)
        lines.append(f"{deep}self.{name} = np.zeros(({sized}{',' if len(shape) == 1 else ''}), dtype)")
        made.append(f"self.{name}")
    lines += [
        f"{deep}self.work = np.empty({work}, dtype)",
        f"{deep}library = build(dtype, strict)",
        *([f"{deep}lend_gemm(library, dtype)"] if loops.products else []),
        f"{deep}arrays = [*self.inputs, {', '.join(made)}, self.work]",
        f"{deep}pointers = [ctypes.c_void_p(x.ctypes.data) for x in arrays]",
        f"{deep}sizes = [ctypes.c_long(s) for s in ({', '.join(symbols)}{',' if len(symbols) == 1 else ''})]",
        f"{deep}self.run = functools.partial(library.{PREFIX}{GRADIENTS}, *sizes, *pointers)",
        "",
        f"{INDENT}def __call__(self):",
        f"{deep}self.run()",
        f"{deep}return {', '.join(made)}",
        "",
        "",
        f"def {GRADIENTS}({given}):",
        *documented(described(program, names, inputs, value=False)),
        f"{INDENT}return Gradients({given})()",
    ]
    return "\n".join(lines) + "\n"


def _plain_value(program: Program, reserved: set[str]) -> tuple[list[str], list[str]]:
    """(The value in NumPy, for the test, with its helpers; its parameters.)"""
    text, made = value_function(program, plan_of(program, reserved), WRITERS["numpy"])
    return [*made.helpers, text], made.parameters


def _test(program: Program, plan: Plan, parameters: Sequence[str], value_parameters: Sequence[str]) -> str:
    trial = Trial(program, plan, "numpy", GRADIENTS, parameters)
    said = CODE_TEXTS["test"].format(
        what=", ".join(o.name for o in program.outputs), verb="agree", how=CODE_TEXTS["differences"]
    )
    lines = trial.text(value_parameters, value=False).split("\n")
    return "\n".join(["def test_derivatives():", *documented(said), *((INDENT + t).rstrip() for t in lines)]) + "\n"


def _assembled(program: Program, functions: Sequence[str]) -> str:
    text = assembled(program, WRITERS["numpy"], functions, ["Gradients", GRADIENTS])
    modules = ["ctypes", "functools", "hashlib", "os", "platform", "subprocess", "tempfile"]
    return text.replace("import numpy as np\n", "".join(f"import {m}\n" for m in modules) + "\nimport numpy as np\n", 1)

"""The test that goes with emitted code: what its derivatives say against differences, or automatic differentiation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from whence.emit.body import size_text
from whence.emit.graph import Node
from whence.emit.names import Names
from whence.emit.plan import Plan, reachable
from whence.emit.program import Output, Program, Shape
from whence.ops.table import DOMAINS, TABLE
from whence.shapes.dims import Dim

INDENT = "    "


def change_of(name: str) -> str:
    """The parameter of the value by which an intermediate is moved; no name of a model has a space."""
    return name + " change"


def moved(program: Program) -> list[str]:
    """The intermediates by which is differentiated."""
    return list(dict.fromkeys(w for o in program.outputs for w in o.wrt if w not in program.inputs))


def sizes_for(program: Program) -> dict[str, int]:
    """Sizes that differ from one another, so that a transpose in the wrong place cannot fit."""
    return {d: 3 + (5 * k + 2) % 7 if len(program.dims) < 8 else 3 + k for k, d in enumerate(program.dims)}


def demands(program: Program, plan: Plan) -> dict[str, set[str]]:
    """What must hold of each input for the functions above it: tags, as assumptions are."""
    out: dict[str, set[str]] = {n: set(program.assume.get(n, ())) for n in program.inputs}
    for node in reachable([plan.value]):
        tags: tuple[str, ...] = ()
        if node.kind == "call":
            tags = DOMAINS[TABLE[node.data[0]].domain]
        elif node.kind == "product" and any(e < 0 or e.denominator != 1 for e in node.data[1]):
            tags = ("positive",)
        for name in _inputs_below(node) if tags else ():
            if name in out and not out[name]:
                out[name] |= {f"for {tag}" for tag in tags}
    return out


def _inputs_below(node: Node) -> Iterable[str]:
    return [n.data for n in reachable([node]) if n.kind == "input" and n.shape is not None and isinstance(n.data, str)]


def draw(shape: Shape, tags: set[str], sizes: dict[str, int], names: Names) -> str:
    """An expression that draws an input which fits its assumptions."""
    lengths = [_length(d, names) for d in shape]
    size = f"({', '.join(lengths)}{',' if len(lengths) == 1 else ''})"
    normal, between = f"rng.standard_normal({size})", f"rng.uniform(0.2, 0.8, {size})"
    n = lengths[0] if lengths else ""
    square = len(shape) == 2 and shape[0] == shape[1]
    if "onehot-columns" in tags and len(lengths) == 2:
        return f"np.eye({n})[:, rng.integers({n}, size={lengths[1]})]"
    if "onehot-last" in tags:
        return f"np.eye({lengths[-1]})[rng.integers({lengths[-1]}, size=({', '.join(lengths[:-1])},))]"
    if "orthogonal" in tags and len(shape) == 2:
        return (
            f"np.linalg.qr(rng.standard_normal(({n} + {lengths[1]},)*2))[0][:{n}, :{lengths[1]}]"
            if not square
            else (f"np.linalg.qr({normal})[0]")
        )
    if tags & {"pd", "psd"} and square:
        return f"np.cov({normal}) + 2.0*np.eye({n})"
    if "diagonal" in tags and square:
        return f"np.diag(rng.uniform(0.5, 1.5, {n}))"
    if "lower" in tags and square:
        return f"np.tril({normal}) + 3.0*np.eye({n})"
    if "symmetric" in tags and square:
        return f"np.cov({normal}) + np.eye({n})"
    if "skew" in tags and square:
        return f"0.3*np.subtract.outer(np.arange({n}), np.arange({n}))"
    matrix = {"invertible", "for invertible", "for pd"} & tags
    if matrix and len(shape) > 1 and shape[-1] == shape[-2]:
        return f"{between} + 2.0*np.eye({lengths[-1]})"
    if tags & {
        "positive",
        "unit-interval",
        "for positive",
        "for unit-interval",
        "for pd",
        "for invertible",
        "for nonzero",
    }:
        return f"{between}*rng.uniform(0.1, 3.0)" if "for positive" in tags else between
    if "nonzero" in tags:
        return f"np.sign({normal})*{between}"
    return normal


def _length(size: Dim, names: Names) -> str:
    return size_text(size, names)


class Trial:
    """Writes the test of a module. `end` is the back end, `main` the function under test."""

    def __init__(self, program: Program, plan: Plan, end: str, main: str, parameters: Sequence[str]) -> None:
        self.program, self.plan, self.end, self.main = program, plan, end, main
        self.parameters, self.names = list(parameters), plan.names
        self.step, self.direction = plan.names.fresh("step"), plan.names.fresh("E")
        self.s, self.t = plan.names.fresh("s"), plan.names.fresh("t")
        self.zero, self.one = plan.names.fresh("zero"), plan.names.fresh("one")
        self.changes = {plan.names[change_of(n)] for n in moved(program)}
        self.found, self.expected = plan.names.fresh("found"), plan.names.fresh("expected")

    def drawn(self, value_parameters: Sequence[str]) -> list[str]:
        """The lines that choose sizes and draw inputs."""
        program, names = self.program, self.names
        sizes = {d: program.tried.get(d, k) for d, k in sizes_for(program).items()}
        lines = ['jax.config.update("jax_enable_x64", True)'] if self.end == "jax" else []
        if self.end == "torch":
            lines.append(f"{self.zero}, {self.one} = torch.tensor([0.0, 1.0], dtype=torch.float64)")
        if program.dims:
            lines.append(
                f"{', '.join(names[d] for d in program.dims)} = {', '.join(str(sizes[d]) for d in program.dims)}"
            )
        tags = demands(program, self.plan)
        drawn = [f"{names[n]} = {self._array(draw(s, tags[n], sizes, names), s)}" for n, s in program.inputs.items()]
        lines += self._others(value_parameters)
        if any(tag.startswith("for ") for found in tags.values() for tag in found):  # until the value is defined there
            lines += [
                "for seed in range(200):",
                f"{INDENT}rng = np.random.default_rng(seed)",
                *(INDENT + d for d in drawn),
            ]
            plain = ", ".join(p for p in value_parameters if p not in self.changes)
            lines += [f"{INDENT}if np.isfinite(np.asarray(value({plain}))).all():", f"{INDENT * 2}break"]
        else:
            lines += ["rng = np.random.default_rng(0)", *drawn]
        return lines

    def text(
        self, value_parameters: Sequence[str], before: Sequence[str] = (), value: bool = True, call: str = ""
    ) -> str:
        """The whole test function.

        `before`: lines before the call; `value`: does it give the value too? `call`: instead of the plain call.
        """
        program, names = self.program, self.names
        lines = [*self.drawn(value_parameters), *before]
        targets = ", ".join(
            [
                *([names[program.of]] if value and program.with_value else []),
                *(self._result(o.name) for o in program.outputs),
            ]
        )
        lines.append(f"{targets} = {call or self._plain_call()}")
        for output in program.outputs:
            lines += self._against(output, value_parameters)
        return "\n".join(lines)

    def _plain_call(self) -> str:
        return f"{self.main}({', '.join(self.parameters)})"

    def _result(self, name: str) -> str:
        return self.names[name]

    def _array(self, drawn: str, shape: Shape) -> str:
        wrapped = {"numpy": "{}", "jax": "jnp.asarray({})", "torch": "torch.as_tensor({})"}[self.end]
        if self.end == "torch" and not shape:
            return f"torch.tensor({drawn}, dtype=torch.float64)"
        return wrapped.format(drawn)

    def _others(self, value_parameters: Sequence[str]) -> list[str]:
        """Stand-ins for unknown functions, places."""
        known = {self.names[n] for n in (*self.program.inputs, *self.program.dims)}
        out: list[str] = []
        library = {"numpy": "np", "jax": "jnp", "torch": "torch"}[self.end]
        stand_ins = {
            "": f"{library}.tanh(x)",
            "_prime": f"1 - {library}.tanh(x)**2",
            "_prime_prime": f"-2*{library}.tanh(x)*(1 - {library}.tanh(x)**2)",
        }
        wanted = list(dict.fromkeys([*self.parameters, *value_parameters]))
        for f in self.program.functions:
            for suffix, formula in stand_ins.items():
                if self.names[f + suffix] in wanted:
                    out += [f"def {self.names[f + suffix]}(x):", f"{INDENT}return {formula}"]
                    known.add(self.names[f + suffix])
        places = [p for p in wanted if p not in known and p in {self.names[n] for n in self.program.places}]
        return out + [f"{p} = {k % 2}" for k, p in enumerate(places)]

    def _against(self, output: Output, value_parameters: Sequence[str]) -> list[str]:
        names, result = self.names, self._result(output.name)
        directions: list[str] = []
        lines: list[str] = []
        for k, w in enumerate(output.wrt):
            direction = self.direction if len(output.wrt) == 1 else f"{self.direction}{k + 1}"
            shape = self.program.shapes[w]
            lengths = ", ".join(_length(d, names) for d in shape)
            drawn = f"rng.standard_normal(({lengths}))" if shape else "rng.standard_normal()"
            lines.append(f"{direction} = {self._array(drawn, shape)}")
            directions.append(direction)
            if {"symmetric", "pd", "psd"} & set(self.program.assume.get(w, ())) and len(shape) > 1:
                lines.append(f"{direction} = {direction} + {direction}.{'mT' if len(shape) > 2 else 'T'}")
        call = self._call(output.wrt, value_parameters)
        lines += self._differences(call, directions) if self.end == "numpy" else self._tangents(call, directions)
        tolerance = "1e-8" if self.end != "numpy" else "1e-5" if len(directions) == 1 else "1e-3"
        times = f"*{names[output.times]}" if output.times else ""
        found, expected = self.found, self.expected
        if not self.program.of_shape_wide and len(directions) == 1 and output.layout == "matrix":
            near = f"rtol={tolerance}, atol=1e-7"
            if self.end == "torch":
                slope = f"torch.sum({result}*{directions[0]})"
                return [*lines, f"torch.testing.assert_close({slope}, {expected}{times}, {near})"]
            slope = f"np.vdot({result}, {directions[0]})"
            return [*lines, f"np.testing.assert_allclose({slope}, {expected}{times}, {near})"]
        turned = ".T" if output.layout == "vec" else ""
        lines.append(f"{found} = {self._contracted(result, directions, output.layout)}")
        lines.append(f"{expected} = np.asarray({expected}){turned}.reshape(-1){times}")
        scale = f"{tolerance}*(1.0 + np.abs({expected}).max())"
        return [*lines, f"np.testing.assert_allclose({found}, {expected}, rtol={tolerance}, atol={scale})"]

    def _call(self, wrt: Sequence[str], value_parameters: Sequence[str]) -> str:
        """The value, with places for the steps."""
        moves = {w: "{" + str(k) + "}" for k, w in enumerate(wrt)}
        both = len(wrt) == 2 and wrt[0] == wrt[1]
        if both:
            moves = {wrt[0]: "{0} + {1}"}
        known = {self.names[n]: n for n in self.program.inputs}
        arguments = []
        for p in value_parameters:
            name = known.get(p, "")
            if name in moves:
                arguments.append(f"{p} + {moves[name]}")
            elif p in self.changes:
                inner = next((w for w in moves if self.names[change_of(w)] == p), None)
                arguments.append(f"{p}={moves[inner] if inner else '0.0'}")
            else:
                arguments.append(p)
        return f"value({', '.join(arguments)})"

    def _differences(self, call: str, directions: Sequence[str]) -> list[str]:
        step, expected = self.step, self.expected
        if len(directions) == 1:
            (e,) = directions
            up, down = call.format(f"{step}*{e}"), call.format(f"-{step}*{e}").replace("+ -", "- ")
            return [f"{step} = 1e-6", f"{expected} = ({up} - {down})/(2*{step})"]
        lines, corners = [f"{step} = 1e-4"], []
        for name, a, b in (("pp", "", ""), ("pm", "", "-"), ("mp", "-", ""), ("mm", "-", "-")):
            corners.append(self.names.fresh(name))
            moves = f"{a}{step}*{directions[0]}", f"{b}{step}*{directions[1]}"
            lines.append(f"{corners[-1]} = {call.format(*moves).replace('+ -', '- ')}")
        pp, pm, mp, mm = corners
        return [*lines, f"{expected} = ({pp} - {pm} - {mp} + {mm})/(4*{step}**2)"]

    def _tangents(self, call: str, directions: Sequence[str]) -> list[str]:
        library = "jax" if self.end == "jax" else "torch.autograd.functional"
        s, t = self.s, self.t
        if len(directions) == 1:
            inner = call.format(f"{t}*{directions[0]}")
            return [f"{self.expected} = {library}.jvp(lambda {t}: {inner}, ({self._zero()},), ({self._one()},))[1]"]
        inner = call.format(f"{s}*{directions[0]}", f"{t}*{directions[1]}")
        graph = ", create_graph=True" if self.end == "torch" else ""
        slope = f"{library}.jvp(lambda {s}: {inner}, ({self._zero()},), ({self._one()},){graph})[1]"
        return [
            f"def slope({t}):\n{INDENT}return {slope}\n",
            f"{self.expected} = {library}.jvp(slope, ({self._zero()},), ({self._one()},))[1]",
        ]

    def _zero(self) -> str:
        return "0.0" if self.end == "jax" else self.zero

    def _one(self) -> str:
        return "1.0" if self.end == "jax" else self.one

    def _contracted(self, result: str, directions: Sequence[str], layout: str) -> str:
        """The derivative times the directions, as a list of numbers."""
        turned = ".T" if layout == "vec" else ""
        d = f"np.asarray({result})" + (".T" if layout == "turned" else "")
        flat = [f"np.asarray({e}){turned}.reshape(-1)" for e in directions]
        if len(flat) == 1:
            return f"{d} @ {flat[0]}" if layout == "vec" else f"{d}.reshape(-1, {flat[0]}.size) @ {flat[0]}"
        if layout == "vec":
            return f"{flat[0]} @ ({d} @ {flat[1]}).reshape({flat[0]}.size, -1)"
        return f"{d}.reshape(-1, {flat[0]}.size, {flat[1]}.size) @ {flat[1]} @ {flat[0]}"

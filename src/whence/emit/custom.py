"""The backward pass as a library takes it: jax.custom_vjp and torch.autograd.Function, with what it needs saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from whence.emit.arrays import INDENT, assembled, documented, plan_of, value_function
from whence.emit.body import Writers, parameters_of, with_shape
from whence.emit.graph import Node
from whence.emit.plan import Plan, planned, reachable
from whence.emit.program import Program
from whence.emit.trial import Trial
from whence.emit.writer import WRITERS
from whence.messages.code_texts import CODE_TEXTS
from whence.messages.errors import ReadError
from whence.ops.signature import signature
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Transpose
from whence.read.walk import names_in

COST = "cost"
PAIRS = "pairs"
RESERVED = (COST, "Cost", "forward", "backward", "ctx", "saved", "inputs", "output", "need", PAIRS)


@dataclass
class Halves:
    """The lines of two passes, and what the second reads of the first."""

    parameters: list[str]
    sizes: list[str]
    forward: list[str]
    value: str
    saved_inputs: list[str]
    saved: list[str]
    backward: list[str]
    gradients: list[tuple[str, str, str]]  # input, name, text
    helpers: list[str]
    pairs: list[str]  # what is saved as two arrays: a factorisation with its permutation
    upstream: str


def custom(program: Program, end: str) -> str:
    """The module with a cost that brings its own gradient."""
    by_inputs = all(o.wrt[0] in program.inputs for o in program.outputs)
    if not program.with_value or program.functions or not by_inputs:
        raise ReadError("bad-option", found="custom", expected="a number of known functions, by inputs")
    plain_plan = plan_of(program, RESERVED)
    plan_of_value, value_made = value_function(program, plain_plan, WRITERS[end])
    halves = halves_of(*_with_upstream(program), end)
    if len(halves.parameters) > len(program.inputs):
        raise ReadError("bad-option", found="custom", expected="a model whose inputs tell all sizes")
    text = _jax(program, halves) if end == "jax" else _torch(program, halves)
    helpers = dict.fromkeys([*halves.helpers, *value_made.helpers])
    test = _test(program, plain_plan, end, halves)
    return assembled(
        program, WRITERS[end], [*helpers, text, plan_of_value, *([] if program.structured else [test])], [COST]
    )


# ------------------------------------------------------------ the gradient of what comes after
def _with_upstream(program: Program) -> tuple[Program, str]:
    """(The program with every gradient times that of the cost, from where the backward pass begins; its name.)"""
    adjoints = {n for n, _ in program.adjoints}
    upstream = "upstream"
    while upstream in {*program.shapes, *program.dims, *program.functions, *adjoints, *program.places}:
        upstream += "_"
    scaled = [(n, _times_upstream(t, adjoints, upstream)) for n, t in program.adjoints]
    outputs = [(o, _times_upstream(o.tree, adjoints, upstream)) for o in program.outputs]
    if any(t is None for _, t in (*scaled, *outputs)):
        scaled = list(program.adjoints)
        outputs = [(o, Binary("*", Name(upstream), o.tree)) for o in program.outputs]
    made = replace(
        program,
        inputs={**program.inputs, upstream: ()},
        adjoints=tuple((n, t) for n, t in scaled if t is not None),
        outputs=tuple(replace(o, tree=t) for o, t in outputs if t is not None),
    )
    return made, upstream


def _times_upstream(tree: Expr, adjoints: set[str], upstream: str) -> Expr | None:
    """Each term that speaks of no adjoint times the upstream gradient; None where a term is not linear in one."""
    if isinstance(tree, Binary) and tree.operator in "+-":
        left, right = (_times_upstream(t, adjoints, upstream) for t in (tree.left, tree.right))
        return None if left is None or right is None else Binary(tree.operator, left, right)
    match _degree(tree, adjoints):
        case 1:
            return tree
        case 0:
            return Binary("*", Name(upstream), tree)
    return None


def _degree(tree: Expr, adjoints: set[str]) -> int | None:
    """How often each term of a formula speaks of an adjoint; None where that is not the same for all."""
    if not names_in(tree) & adjoints:
        return 0
    match tree:
        case Name():
            return 1
        case Negative(operand=inner) | Transpose(operand=inner):
            return _degree(inner, adjoints)
        case Binary(operator="+" | "-", left=left, right=right):
            both = _degree(left, adjoints), _degree(right, adjoints)
            return both[0] if both[0] == both[1] else None
        case Binary(operator="*" | "@" | "/" as op, left=left, right=right):
            a, b = _degree(left, adjoints), _degree(right, adjoints)
            return None if a is None or b is None or op == "/" and b else a + b
        case Call(name=name, arguments=arguments) if name in TABLE:
            linear = set(TABLE[name].linear_in)
            letters = [p.name for p in signature(TABLE[name]).ways[0].parameters if p.kind == "array"]
            degrees = [_degree(a, adjoints) for a in arguments]
            if len(letters) == len(arguments) and sum(bool(d) for d in degrees) == 1:
                k = next(k for k, d in enumerate(degrees) if d)
                return degrees[k] if letters[k] in linear else None
    return None


# ------------------------------------------------------------ two passes
def halves_of(program: Program, upstream: str, end: str, reserved: Sequence[str] = RESERVED) -> Halves:
    """A program as a forward pass that gives the value, and a backward pass that gives the gradients.

    `upstream` is the input that only the second is given, or empty.
    """
    plan = plan_of(program, reserved)
    done = planned(plan, [plan.value, *plan.outputs], end)
    value, gradients = done.outputs[0], done.outputs[1:]
    first = set(reachable([value]))
    forward = [n for n in done.lines if n in first]
    backward = [n for n in done.lines if n not in first]
    writer = Writers.make(program, done, end)
    saved = _met(backward, gradients, done, set(forward))
    inputs = [n for n in saved if n.kind == "input" and n.data != upstream]
    kept = [n for n in forward if n in saved]
    later = reachable([*backward, *gradients])
    _, sizes = parameters_of(program, plan.low, later, plan.names)
    named = [plan.names[n.data] for n in inputs]
    for line in sizes:  # the inputs that tell the sizes are kept too
        source = line.split("= ")[1].split(".")[0]
        if source not in named:
            named.append(source)
    parameters, all_sizes = parameters_of(program, plan.low, first, plan.names)
    parameters = [p for p in parameters if not upstream or p != plan.names[upstream]]
    lines = {n: with_shape(f"{done.called[n]} = {writer.line(n)}", n, plan.names) for n in done.lines}
    wrt = [plan.names[o.wrt[0]] for o in program.outputs]
    texts = [
        writer.line(g) if g in backward and done.called[g] == plan.names[o.name] else writer.text(g)
        for g, o in zip(gradients, program.outputs, strict=True)
    ]
    only_once = {
        g
        for g, o in zip(gradients, program.outputs, strict=True)
        if g in backward and done.called[g] == plan.names[o.name] and not _read_by(g, backward, gradients)
    }
    read = [*(lines[n] for n in backward), *texts]
    if writer.like not in named and any(re.search(rf"\b{re.escape(writer.like)}\.", t) for t in read if writer.like):
        named.append(writer.like)  # new arrays take its element type
    return Halves(
        parameters,
        sizes,
        [*all_sizes, *(lines[n] for n in forward)],
        writer.text(value),
        named,
        [done.called[n] for n in kept],
        [lines[n] for n in backward if n not in only_once],
        [
            (w, plan.names[o.name], t if g in only_once else writer.text(g))
            for w, o, g, t in zip(wrt, program.outputs, gradients, texts, strict=True)
        ],
        list(writer.helpers),
        [done.called[n] for n in kept if n.kind == "factor" and n.data == "lu"],
        plan.names[upstream] if upstream else "",
    )


def _read_by(node: Node, lines: Sequence[Node], gradients: Sequence[Node]) -> bool:
    """Does another line or gradient use it?"""
    return any(node in reachable([n]) for n in (*lines, *gradients) if n is not node)


def _met(lines: Sequence[Node], gradients: Sequence[Node], done: Plan, forward: set[Node]) -> list[Node]:
    """What these lines read that they do not compute: inputs, and lines of the forward pass."""
    found: dict[Node, None] = {}
    work = [n for line in lines for n in line.inputs]
    work += [k for g in gradients for k in ([g] if g in forward or g not in lines else g.inputs)]
    own = set(lines)
    seen: set[Node] = set()
    while work:
        node = work.pop()
        if node in seen or node in own:
            continue
        seen.add(node)
        if node in forward and node in done.called or node.kind == "input":
            found[node] = None
        else:
            work.extend(node.inputs)
    return sorted(found, key=lambda n: n.number)


# ------------------------------------------------------------ the libraries
def _tuple(names: str) -> str:
    """The names as the inside of a tuple."""
    return names if "," in names else f"{names}," if names else ""


def _jax(program: Program, h: Halves) -> str:
    said = {"of": program.of}
    saved = ", ".join([*h.saved_inputs, *h.saved])
    given = {w: name for w, name, _ in h.gradients}
    returned = ", ".join(given.get(p, "None") for p in h.parameters)
    parameters = ", ".join(h.parameters)
    lines = [
        "@jax.custom_vjp",
        f"def {COST}({parameters}):",
        *documented(CODE_TEXTS["value"].format(**said)),
        f"{INDENT}return value({parameters})",
        "",
        "",
        f"def forward({parameters}):",
        *documented(CODE_TEXTS["forward"].format(**said)),
        *(INDENT + t for t in h.forward),
        f"{INDENT}return {h.value}, ({_tuple(saved)})",
        "",
        "",
        f"def backward(saved, {h.upstream}):",
        *documented(CODE_TEXTS["backward"].format(**said)),
        *([f"{INDENT}{_tuple(saved)} = saved"] if saved else []),
        *(INDENT + t for t in (*h.sizes, *h.backward)),
        *(f"{INDENT}{name} = {text}" for _, name, text in h.gradients if name != text),
        f"{INDENT}return {returned}{',' if len(h.parameters) == 1 else ''}",
        "",
        "",
        f"{COST}.defvjp(forward, backward)",
    ]
    return "\n".join(lines) + "\n"


def _opened(single: Sequence[str], pairs: Sequence[str]) -> tuple[str, list[str]]:
    """(What the saved arrays are unpacked to, the lines that put the pairs together again.)"""
    if len(pairs) < 2:
        return _tuple(", ".join([*single, *(f"*{p}" for p in pairs)])), []
    lines = [f"{p} = {PAIRS}[{2 * k}:{2 * k + 2}]" for k, p in enumerate(pairs)]
    return _tuple(", ".join([*single, f"*{PAIRS}"])), lines


def _torch(program: Program, h: Halves) -> str:
    said = {"of": program.of}
    parameters = ", ".join(h.parameters)
    inner = [s for s in h.saved if s != h.value]
    outputs = ", ".join([h.value, *inner])
    single = [*h.saved_inputs, *(s for s in h.saved if s not in h.pairs)]
    saved = ", ".join([*single, *(f"*{p}" for p in h.pairs)])
    found, parted = _opened(single, h.pairs)
    given = {w: (name, text) for w, name, text in h.gradients}
    deep = INDENT * 2
    lines = [
        "class Cost(torch.autograd.Function):",
        f'{INDENT}"""{CODE_TEXTS["forward"].format(**said)}"""',
        "",
        f"{INDENT}@staticmethod",
        f"{INDENT}def forward({parameters}):",
        *(deep + t for t in h.forward),
        f"{deep}return {outputs}",
        "",
        f"{INDENT}@staticmethod",
        f"{INDENT}def setup_context(ctx, inputs, output):",
        f"{deep}{parameters}{',' if len(h.parameters) == 1 else ''} = inputs",
    ]
    if h.saved:
        first = h.value if h.value in h.saved else "_"
        lines.append(f"{deep}{', '.join([first, *inner])} = output")
        arrays = [n for n in inner if n not in h.pairs]
        lines += [f"{deep}ctx.mark_non_differentiable({', '.join(arrays)})"] if arrays else []
    lines += [f"{deep}ctx.save_for_backward({saved})", "", f"{INDENT}@staticmethod"]
    if h.saved:  # what is saved has lost its way back to the inputs
        lines.append(f"{INDENT}@once_differentiable")
    lines += [
        f"{INDENT}def backward(ctx, {h.upstream}{', *_' if inner else ''}):",
        *([f"{deep}{found} = ctx.saved_tensors"] if saved else []),
        *(deep + t for t in (*parted, *h.sizes, *h.backward)),
        f"{deep}need = ctx.needs_input_grad",
    ]
    results = []
    for k, p in enumerate(h.parameters):
        if p not in given:
            results.append("None")
            continue
        name, text = given[p]
        results.append(f"{name} if need[{k}] else None" if name == text else name)
        if name != text:
            lines.append(f"{deep}{name} = {text} if need[{k}] else None")
    lines += [
        f"{deep}return {', '.join(results)}",
        "",
        "",
        f"def {COST}({parameters}):",
        *documented(CODE_TEXTS["value"].format(**said)),
        f"{INDENT}return Cost.apply({parameters}){'[0]' if inner else ''}",
    ]
    return "\n".join(lines) + "\n"


def _test(program: Program, plan: Plan, end: str, h: Halves) -> str:
    """The gradients of the cost, through the library, against those of the plain value."""
    trial = Trial(program, plan, end, COST, h.parameters)
    drawn = trial.drawn(h.parameters)
    mine, theirs = trial.names.fresh("mine"), trial.names.fresh("theirs")
    parameters = ", ".join(h.parameters)
    found, expected = trial.found, trial.expected
    places = [k for k, p in enumerate(h.parameters) if p in {w for w, _, _ in h.gradients}]
    if end == "jax":
        listed = f"({_tuple(', '.join(map(str, places)))})"
        lines = [
            *drawn,
            f"{found} = jax.grad(lambda *a: 3.0*{COST}(*a), {listed})({parameters})",
            f"{expected} = jax.grad(lambda *a: 3.0*value(*a), {listed})({parameters})",
            f"for {mine}, {theirs} in zip({found}, {expected}):",
            f"{INDENT}np.testing.assert_allclose({mine}, {theirs}, rtol=1e-8, atol=1e-8)",
        ]
        said = CODE_TEXTS["test"].format(
            what=", ".join(n for _, n, _ in h.gradients), verb="agree", how=CODE_TEXTS["autodiff"]
        )
    else:
        wanted = [h.parameters[k] for k in places]
        lines = [
            *drawn,
            *(f"{p} = {p}.requires_grad_()" for p in wanted),
            f"{found} = torch.autograd.grad(3.0*{COST}({parameters}), ({_tuple(', '.join(wanted))}))",
            f"{expected} = torch.autograd.grad(3.0*value({parameters}), ({_tuple(', '.join(wanted))}))",
            f"for {mine}, {theirs} in zip({found}, {expected}):",
            f"{INDENT}torch.testing.assert_close({mine}, {theirs}, rtol=1e-8, atol=1e-8)",
        ]
        if not any({"symmetric", "pd", "psd"} & set(tags) for tags in program.assume.values()):
            lines.append(f"assert torch.autograd.gradcheck({COST}, ({parameters},))")
        said = CODE_TEXTS["gradcheck"]
    return "\n".join(["def test_derivatives():", *documented(said), *(INDENT + t for t in lines)]) + "\n"

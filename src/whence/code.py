"""Verified derivatives as programs: what the public objects hand to emit/.

Targets: numpy, jax, torch, and c (a Python file that compiles C with gcc and has a NumPy face). Forms: plain, one
function; custom, a jax.custom_vjp or a torch.autograd.Function; inplace, NumPy that writes into arrays it made before;
assignment, with dictionaries as a course has it; training, the functions loss, gradients, update and step over
dictionaries; hessian, the second derivative as an operator that keeps its form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from whence.emit.program import Output, Program
from whence.facts.declared import facts_of_assumptions
from whence.messages.errors import ReadError
from whence.read.syntax import Expr, Index, Range
from whence.read.walk import names_in, walk
from whence.shapes.infer import infer
from whence.shapes.words import is_scalar

if TYPE_CHECKING:
    from whence.engine import Answer
    from whence.net import Derivative, Net
    from whence.read.problem import Problem

Target = Literal["numpy", "jax", "torch", "c"]
Form = Literal["plain", "custom", "inplace", "assignment", "training", "hessian"]
Arrays = Mapping[str, Any]
PLAIN: Form = "plain"
FORMS: tuple[Form, ...] = get_args(Form)
# The targets that a form other than the plain one has.
WHERE: dict[str, tuple[str, ...]] = {
    "custom": ("jax", "torch"),
    "inplace": ("numpy",),
    "assignment": ("numpy",),
    "training": ("numpy", "jax", "torch"),
    "hessian": ("numpy",),
}


class AsCode:
    """What a derivative says of itself in code. (`Derivative` is one.)"""

    def numpy(self, *, inplace: bool = False) -> str:
        """A NumPy module that computes it, with its test and no dependency on whence."""
        return self.code("numpy", "inplace" if inplace else "plain")

    def jax(self, *, custom: bool = False) -> str:
        """A JAX module that computes it; `custom`: as the rule of a jax.custom_vjp."""
        return self.code("jax", "custom" if custom else "plain")

    def torch(self, *, custom: bool = False) -> str:
        """A PyTorch module that computes it; `custom`: as a torch.autograd.Function."""
        return self.code("torch", "custom" if custom else "plain")

    def code(self, to: Target, form: Form = "plain") -> str:
        """The module for a back end (whence.code lists targets and forms)."""
        return emitted(program_of(self.net, [self]), to, form)  # type: ignore[attr-defined, list-item]  # a Derivative


class EmitsCode:
    """What a model gives as code. (`Net` is one.)"""

    def emit(
        self, wrt: Iterable[str] = (), to: Target = "numpy", of: str | None = None,
        form: Form = "plain", sizes: Mapping[str, int] | None = None,
    ) -> str:  # fmt: skip
        """A module that computes the cost and its gradients by these names (default: by all parameters).

        `to` and `form` are described in whence.code; `sizes`, where known, decide the order of products.

        >>> import whence
        >>> net = whence.model("z = W x; J = sum(z**2)", "W: n x m, x: m")
        >>> "dW = 2 * z @ x.T" in net.emit(["W"])
        True
        """
        return module_of(self, wrt, to, of, form, sizes)  # type: ignore[arg-type]  # a Net

    def functions(self, wrt: Iterable[str] = (), to: Target = "numpy", of: str | None = None) -> Functions:
        """loss, gradients, update and step as functions of NumPy, JAX or PyTorch, to train the model.

        >>> import numpy, whence
        >>> f = whence.model("J = norm(w*x)^2", "w: scalar, x: n").functions(["w"])
        >>> cost, parameters = f.step({"w": 1.0}, {"x": numpy.ones((2, 1))}, rate=0.25)
        >>> float(cost), float(parameters["w"])
        (2.0, 0.0)
        """
        return functions_of(self, wrt, to, of)  # type: ignore[arg-type]  # a Net


def program_of(net: Net, derivatives: Sequence[Derivative], sizes: Mapping[str, int] | None = None) -> Program:
    """The program that computes these derivatives, all of the same name."""
    first = derivatives[0]
    adjoints = {name: (of, tree) for d in derivatives for name, (of, tree) in d.answer.adjoints.items()}
    place = {t: -k for k, t in enumerate(net.model.targets)}
    ordered = sorted(adjoints.items(), key=lambda item: place.get(item[1][0], 1))
    checked = tuple(dict.fromkeys(line for d in derivatives for line in d.certificate.lines()[1:]))
    engine = net.engine
    reach = net.reach(first.of)
    formulas = [d.answer.tree for d in derivatives] + [tree for _, tree in adjoints.values()]
    for name in {n for tree in formulas for n in names_in(tree)} & engine.shapes.keys():
        reach = reach | net.reach(name)
    return Program(
        inputs={n: s for n, s in engine.inputs.items() if n in reach},
        dims=tuple(net.ordered_sizes),
        statements=tuple((s.target, s.expression) for s in net.model.statements if s.target in reach),
        of=first.of,
        of_shape=engine.shapes[first.of],
        outputs=tuple(_output(net, d) for d in derivatives),
        adjoints=tuple((name, tree) for name, (_, tree) in ordered),
        functions=tuple(net.model.functions),
        defined=net.model.defined,
        assume={n: tuple(t) for n, t in net.model.assumptions.items()},
        facts={n: engine.forward.value_atoms[n].facts for n in engine.inputs},
        shapes=dict(engine.shapes),
        verified=checked,
        sizes=dict(sizes or {}),
        tried=dict(first.answer.check.sizes),
        places=frozenset(index_names(s.expression for s in net.model.statements)) - engine.shapes.keys(),
        structured=any(d.question.structured for d in derivatives),
    )


def program_of_problem(problem: Problem, answer: Answer) -> Program:
    """The program of one problem of a batch, whose answer has been verified."""
    table = infer(problem.model)
    shapes = {row.name: row.shape for row in table.rows}
    of = "F"
    while of in {*shapes, *table.dims, *problem.adjoints, *problem.model.functions}:
        of += "_"
    model, wrt = problem.model, problem.wrt
    name = "d" + wrt[0] if len(wrt) == 1 else "d2_" + "_".join(f"d{w}" for w in wrt)
    names = {*shapes, *table.dims, *problem.adjoints}
    while name in names and problem.adjoints.get(name) != wrt[0]:
        name += "_"
    return Program(
        inputs={n: s for n, s in shapes.items() if n not in model.targets},
        dims=table.dims,
        statements=(*((s.target, s.expression) for s in model.statements), (of, problem.expression)),
        of=of,
        of_shape=table.shape_of(problem.expression),
        outputs=(Output(name, answer.tree, answer.shape, wrt, answer.layout),),
        adjoints=tuple((n, tree) for n, (_, tree) in answer.adjoints.items()),
        functions=tuple(model.functions),
        defined=model.defined,
        assume={n: tuple(t) for n, t in model.assumptions.items()},
        facts={n: facts_of_assumptions(t, shapes[n]) for n, t in model.assumptions.items() if n in shapes},
        shapes=shapes,
        tried=dict(answer.check.sizes),
        places=frozenset(index_names([problem.expression, *(s.expression for s in model.statements)])) - names,
        structured=problem.structured,
    )


def index_names(trees: Iterable[Expr]) -> set[str]:
    """The names that stand as places: i of X[i, :]."""
    places = [p for t in trees for n in walk(t) if isinstance(n, Index) for p in n.places]
    return {n for p in places if not isinstance(p, Range) for n in names_in(p)}


def hessian_code(net: Net, name: str, of: str, sizes: Mapping[str, int] | None = None) -> str:
    """The module of a second derivative by one name, as an operator."""
    from whence.emit.structure import hessian_module

    first = net.gradient(name, of)
    shape = net.engine.shapes[name]
    matrix = len(shape) == 2 and all(d != 1 for d in shape)
    second = net.derivative(of, [first.wrt[0]] * 2, "vec" if matrix else "gradient")
    expanded = net.answer(first.question, use_adjoints=False)
    slope = Output("d" + first.wrt[0], expanded.tree, expanded.shape, first.wrt)
    return _within(hessian_module(program_of(net, [second], sizes), slope))


def module_of(
    net: Net, wrt: Iterable[str], to: Target, of: str | None, form: Form, sizes: Mapping[str, int] | None
) -> str:
    """The text of a module for a net, as `Net.emit` describes it."""
    output, asked = of or net.cost, [net.named(w) for w in wrt]
    known = [n for n in net.engine.inputs if n in net.reach(output)]
    default = known if form == "custom" else [n for n in known if n not in net.data] or known
    if form == "hessian" and to == "numpy":
        return hessian_code(net, [*asked, *default][0], output, sizes)
    derivatives = [net.gradient(n, output) for n in asked or default]
    return emitted(program_of(net, derivatives, sizes), to, form)


def _output(net: Net, d: Derivative) -> Output:
    gradient = is_scalar(net.engine.shapes[d.of])
    turned = d.question.layout == ("numerator" if gradient else "denominator")
    layout = "vec" if d.answer.layout == "vec" else "turned" if turned else "matrix"
    scaled = d.convention == "course" and not net.is_parameter(d.wrt[0])
    name = d.name if d.name.isidentifier() else f"d{len(d.wrt)}{d.of}_" + "_".join(f"d{w}" for w in d.wrt)
    while name in net.engine.shapes:
        name += "_"
    return Output(name, d.answer.tree, d.answer.shape, d.wrt, layout, str(net.samples) if scaled else "")


def emitted(program: Program, to: Target, form: Form = "plain") -> str:
    """The text of a module, within the allow-list of emit.allowed.

    Raises ReadError `bad-option` for a target or a combination that there is not.
    """
    for word, allowed, said in ((to, Target, "to"), (form, Form, "form")):
        if word not in get_args(allowed):
            raise ReadError("bad-option", found=f"{said} {word!r}", expected="one of " + ", ".join(get_args(allowed)))
    if to not in WHERE.get(form, (to,)):
        raise ReadError("bad-option", found=f"{form} in {to}", expected=f"{form} in " + " or ".join(WHERE[form]))
    return _within(_written(program, to, form), to)


def _written(program: Program, to: Target, form: Form) -> str:
    if to == "c":
        from whence.emit.c import c_module

        return c_module(program)
    match form:
        case "custom":
            from whence.emit.custom import custom

            return custom(program, to)
        case "assignment":
            from whence.emit.assignment import assignment

            return assignment(program)
        case "training":
            from whence.emit.training import training

            return training(program, to)
        case "inplace":
            from whence.emit.inplace import inplace

            return inplace(program)
    from whence.emit.arrays import module

    return module(program, to)


def _within(code: str, to: Target = "numpy") -> str:
    """The text, once it has been seen to keep within the allow-list."""
    from whence.emit.allowed import offences

    found = offences(code, compiles=to == "c")
    assert not found, f"emitted code has {', '.join(found)}"
    return code


@dataclass(frozen=True)
class Functions:
    """What trains a model by its own verified gradients. Parameters and data are dictionaries by the model's names."""

    loss: Callable[[Arrays, Arrays], Any]  # (parameters, data) -> the cost
    gradients: Callable[[Arrays, Arrays], tuple[Any, dict[str, Any]]]  # -> (the cost, gradients by name)
    update: Callable[[Arrays, Arrays, float], dict[str, Any]]  # (parameters, gradients, rate) -> new parameters
    step: Callable[[Arrays, Arrays, float], tuple[Any, dict[str, Any]]]  # (parameters, data, rate) -> (cost, new ones)
    code: str  # the module they come from


def functions_of(net: Net, wrt: Iterable[str], to: Target, of: str | None) -> Functions:
    """The functions of `Net.functions`."""
    from whence.emit.allowed import loaded

    code = module_of(net, wrt, to, of, "training", None)
    made = loaded(code)
    return Functions(made.loss, made.gradients, made.update, made.step, code)

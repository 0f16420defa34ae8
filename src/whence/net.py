"""The public objects: a model, its gradients, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from whence.code import AsCode, EmitsCode
from whence.diff.model import backward
from whence.engine import Answer, Engine, claim_shape, names_in
from whence.expr.node import DIMENSION, dimension
from whence.expr.sums import is_zero, make_sum, zero
from whence.expr.values import core
from whence.facts.conditions import conditions
from whence.messages.catalogue import nearest
from whence.messages.errors import ReadError, RuleError, ShapeError, UnknownError
from whence.messages.labels import LABELS, STRUCTURED
from whence.naming import adjoint_names
from whence.notation.latex import to_latex, vec_derivative
from whence.notation.markdown import to_markdown
from whence.notation.unicode import display_name, to_unicode
from whence.read.canonical import to_text
from whence.read.syntax import NOWHERE, Binary, Expr, Model, Name
from whence.shapes.dims import Dim
from whence.shapes.infer import ShapeTable
from whence.shapes.words import is_scalar, words
from whence.shapes.words import text as shape_text
from whence.teaching import Taught, check_option
from whence.verify.certificate import Certificate, certificate
from whence.verify.point import Setting

if TYPE_CHECKING:
    from whence.check.verdict import Verdict

Layout = Literal["gradient", "numerator", "denominator", "vec"]
Convention = Literal["exact", "course"]
FullShape = tuple[Dim, ...]
ONE = Dim.parse(1)


@dataclass(frozen=True)
class Question:
    """What is differentiated by what, and how the answer is to be written."""

    of: str
    wrt: tuple[str, ...]
    layout: Layout = "gradient"
    convention: Convention = "exact"
    structured: bool = False


class Net(EmitsCode):
    """A model that has been read, with its shapes solved.

    >>> net = Net(read_model("z = W x; J = sum(z)", "W: n x m, x: m"))
    >>> str(net.gradient("W"))
    'dW = ones(n) xᵀ'
    """

    def __init__(self, model: Model, hidden: Iterable[str] = ()) -> None:
        """`hidden` are names that the user never wrote: no answer uses them."""
        self.model = model
        self.engine = Engine(model, adjoint_names(model), unnamed=model.targets[-1:], hidden=hidden)
        self.shapes: ShapeTable = self.engine.table
        self._answers: dict[tuple, Derivative] = {}

    # ------------------------------------------------------------ questions
    @property
    def cost(self) -> str:
        """The last scalar of the model: what gradients are of, unless another is named."""
        for statement in reversed(self.model.statements):
            if is_scalar(self.engine.shapes[statement.target]):
                return statement.target
        raise self._not_scalar(self.model.targets[-1], "no line gives a number", "a scalar cost, such as J = sum(L)")

    def _not_scalar(self, output: str, found: str, expected: str) -> ShapeError:
        """The error, at the line that gives `output`; a declared name has no line."""
        statements = [s for s in self.model.statements if s.target == output]
        span = statements[0].expression.span if statements else NOWHERE
        return ShapeError(
            "not-scalar",
            line=span.line,
            column=span.column,
            end=span.end,
            found=found,
            expected=expected,
            shapes={row.name: shape_text(row.shape) for row in self.shapes.rows},
            source=self.model.source if statements else "",
        )

    def gradient(
        self,
        target: str,
        of: str | None = None,
        layout: Layout = "gradient",
        convention: Convention = "exact",
        structured: bool = False,
    ) -> Derivative:
        """The verified gradient of a scalar by one name, written with the adjoint names of the backward pass.

        `target` is the name ("Z1") or that of its adjoint ("dZ1"). Raises UnknownError for a name the model does
        not have, ShapeError where `of` is no scalar, RefusedError where the answer cannot be verified.
        """
        check_option("layout", layout, Layout)
        check_option("convention", convention, Convention)
        name, output = self.named(target), of or self.cost
        self._check_output(output)
        if not is_scalar(self.engine.shapes[output]):
            raise self._not_scalar(output, f"{output} is {words(self.engine.shapes[output])}", "a scalar")
        if convention == "course" and self.samples is None:
            raise RuleError("no-average", found=output)
        key = (name, output, layout, convention, structured)
        if key not in self._answers:
            self._answers[key] = self._derivative(Question(output, (name,), layout, convention, structured))
        return self._answers[key]

    def jacobian(self, of: str, wrt: str, layout: Layout = "gradient") -> Derivative:
        """The derivative of any name by any other; the axes of `of` come first."""
        self._check_output(of)
        wrt = self.named(wrt)
        check_option("layout", layout, Layout)
        return self._derivative(Question(of, (wrt,), layout), use_adjoints=False)

    def hessian(self, target: str, of: str | None = None) -> Derivative:
        """The second derivative of a scalar by one name."""
        return self.derivative(of or self.cost, [target, target])

    def derivative(self, of: str, wrt: list[str], layout: Layout = "gradient") -> Derivative:
        """The derivative of a name by one or two names, in order."""
        self._check_output(of)
        names = tuple(self.named(w) for w in wrt)
        if not names:
            raise ReadError("bad-option", found="no name to differentiate by", expected="one name, or two in order")
        check_option("layout", layout, Layout)
        return self._derivative(Question(of, names, layout), use_adjoints=False)

    def _derivative(self, question: Question, use_adjoints: bool = True) -> Derivative:
        return Derivative(self, self.answer(question, use_adjoints), question)

    def backward(self, of: str | None = None, convention: Convention = "exact") -> list[Derivative]:
        """Every adjoint, in the order in which the backward pass computes them."""
        output = of or self.cost
        reach = self.reach(output)
        ordered = [s.target for s in reversed(self.model.statements) if s.target in reach and s.target != output]
        ordered += [n for n in self.engine.inputs if n in reach]
        return [self.gradient(n, output, convention=convention) for n in ordered]

    def lecture(self, of: str | None = None, convention: Convention = "exact") -> list[Derivative]:
        """The formulas a lecture lists: after each named adjoint those of the parameters that meet it."""
        output = of or self.cost
        return [self.gradient(n, output, convention=convention) for n in self.lecture_targets(output)]

    def lecture_targets(self, of: str | None = None) -> list[str]:
        """The names whose gradients a lecture lists, in the order of the backward pass."""
        output = of or self.cost
        reach = self.reach(output)
        parameters = [n for n in self.engine.inputs if n in reach and n not in self.data]
        out: list[str] = []
        on_the_way = [s for s in self.model.statements if s.target in reach]
        for k, statement in reversed(list(enumerate(on_the_way))):
            if statement.target in self.engine.adjoint_names:
                out.append(statement.target)
            earlier = {n for s in on_the_way[:k] for n in names_in(s.expression)}
            met = names_in(statement.expression) - earlier
            out += [p for p in parameters if p in met]
        return out

    # ------------------------------------------------------------ what the model says of itself
    @cached_property
    def samples(self) -> Dim | None:
        """The size over which the cost is an average: J = sum(L)/m. None where it is none."""
        if not any(is_scalar(self.engine.shapes[s.target]) for s in self.model.statements):
            return None
        body = next(d.body.node for d in self.engine.forward.definitions if d.name == self.cost)
        sizes = [f.parameters[0] for _, factors in body.terms for f, _, e in factors if f.kind == DIMENSION and e == -1]
        examples = [s for n, s in self.engine.inputs.items() if n.rstrip("0123456789").lower() == "x"]
        return next((d for d in sizes if not examples or any(d in s for s in examples)), None)

    @cached_property
    def ordered_sizes(self) -> list[str]:
        """The dimension symbols as a reader expects them: n0, n1, n2, and the number of samples last."""
        return sorted(self.shapes.dims, key=lambda s: (s == str(self.samples), s))

    @cached_property
    def data(self) -> frozenset[str]:
        """The inputs that carry the sample axis."""
        if self.samples is None:
            return frozenset()
        return frozenset(n for n, s in self.engine.inputs.items() if self.samples in s)

    def is_parameter(self, name: str) -> bool:
        """Has it no axis of samples? Then its gradient is that of the averaged cost in every convention."""
        return self.samples is None or self.samples not in self.engine.shapes[name]

    def named(self, target: str) -> str:
        """The name that a target means: itself, or the one whose adjoint it names."""
        if target in self.engine.shapes:
            return target
        if target.startswith("d") and target[1:] in self.engine.shapes:
            return target[1:]
        known = [*self.engine.shapes]
        close = nearest(target, [*known, *("d" + k for k in known)])
        raise UnknownError("unknown-target", found=target, expected=", ".join(close or known))

    def _check_output(self, output: str) -> None:
        if output not in self.engine.shapes:
            raise UnknownError("unknown-target", found=output, expected=", ".join(self.engine.shapes))

    def reach(self, output: str) -> set[str]:
        """The names on which the output depends."""
        bodies = {s.target: s.expression for s in self.model.statements}
        reach, work = {output}, [output]
        while work:
            name = work.pop()
            for used in names_in(bodies[name]) if name in bodies else ():
                if used in self.engine.shapes and used not in reach:
                    reach.add(used)
                    work.append(used)
        return reach

    @cached_property
    def setting(self) -> Setting:
        """The model as the judge's arithmetic takes it."""
        model = self.model
        inputs = {n: claim_shape(s) for n, s in self.engine.inputs.items()}
        lines = tuple((s.target, s.expression) for s in model.statements)
        return Setting(inputs, lines, model.assumptions, tuple(model.functions), model.defined)

    # ------------------------------------------------------------ answers
    def answer(self, question: Question, use_adjoints: bool = True) -> Answer:
        """The verified answer to a question."""
        layout = question.layout
        gradient = is_scalar(self.engine.shapes[question.of])
        if layout in ("numerator", "denominator") and len(question.wrt) > 1:
            raise RuleError("outside-scope", found=f"layout {layout} of a second derivative")
        stacked = layout == "vec"
        turned = layout == ("numerator" if gradient else "denominator")
        if question.convention == "course":
            return self._course(question, turned or stacked, use_adjoints)
        return self.engine.derive(
            Name(question.of),
            question.wrt,
            structured=question.structured,
            use_adjoints=use_adjoints,
            turned=turned,
            stacked=stacked,
        )

    def _course(self, question: Question, turned: bool, use_adjoints: bool) -> Answer:
        """The course's convention: dZ is the gradient of the un-averaged loss, 1/m stands in dW and db."""
        if turned or question.structured:
            raise RuleError(
                "outside-scope", found="the course's convention in another layout or for structured matrices"
            )
        engine, m, (name,) = self.engine, self.samples, question.wrt
        assert m is not None
        names = engine.adjoint_names if use_adjoints else {}
        back = backward(
            engine.forward,
            engine.forward.atom(question.of),
            make_sum([(1, ())], ()),
            (name,),
            names,
            engine.chooser.nicest,
            scale=lambda n: None if self.is_parameter(n) else dimension(m),
        )
        shape = engine.shapes[name]
        equation = back.equations.get(name)
        node = equation.node if equation is not None else zero(core(shape))
        tree = engine.printed(node, shape)
        adjoints = engine.adjoints_used(tree, back)
        samples = Name(str(m))
        expression = Binary("*", samples, Name(question.of))

        def claimed(t: Expr) -> Expr:
            return Binary("*", samples, t) if self.is_parameter(name) else t

        return engine.verified(expression, (name,), node, shape, tree, adjoints, claimed=claimed)

    @property
    def known_shapes(self) -> dict[str, FullShape]:
        """The shapes of the names that a formula may use: those of the model, and their adjoints."""
        return {**self.engine.shapes, **{a: self.engine.shapes[of] for of, a in self.engine.adjoint_names.items()}}

    @cached_property
    def _extra_shapes(self) -> dict[str, FullShape]:
        shapes = self.engine.shapes
        extra = {"d" + n: s for n, s in shapes.items()} | {"δ" + n: s for n, s in shapes.items()}
        return {n: s for n, s in extra.items() if n not in shapes} | {
            a: shapes[of] for of, a in self.engine.adjoint_names.items()
        }

    def shape_of(self, tree: Expr) -> FullShape:
        """The shape of any formula over the model's names, gradients and small changes."""
        return self.shapes.shape_of(tree, extra=self._extra_shapes)

    def written(self, tree: Expr, dialect: str, target: str = "") -> str:
        """A formula, or `target = formula`, in another way of writing (`Derivative.written`)."""
        from whence.notation.writing import written

        functions = [*self.model.functions, *self.model.defined]
        return written(tree, dialect, self.shape_of, self.known_shapes, functions, target)

    def text(self, tree: Expr) -> str:
        """A formula in textbook notation."""
        return to_unicode(tree, self.shape_of)

    def check(
        self, answer: str, convention: str = "auto", layout: str = "gradient", dialect: str | None = None
    ) -> Verdict:
        """Is a person's own formula, `dZ1 = …`, or their whole derivation, right? A `Verdict`.

        The answer may be in any notation that is read; `notes` says how it was. `convention` is "exact", "course"
        (1/m only in the parameters' gradients) or "auto": either. `layout` is that of the answer. Raises ReadError for
        what cannot be read, UnknownError for a gradient the model does not have.

        >>> net = Net(read_model("Z = W X; J = sum(Z**2)/2", "W: k x n, X: n x m"))
        >>> print(net.check("dW = Z X"))
        shape error: X must be transposed: X is n x m, the derivative k x n.
        """
        from whence.checking import check_text

        check_option("convention", convention, ("auto", *get_args(Convention)))
        check_option("layout", layout, Layout)
        return check_text(self, answer, convention, layout, dialect)

    def explain(self, target: str, of: str | None = None, **options: Any) -> str:
        """The whole explanation of one gradient, as `whence explain` prints it."""
        return self.gradient(target, of).explain(**options)


@dataclass(frozen=True)
class Derivative(Taught, AsCode):
    """A verified derivative. `str()` gives it in textbook notation."""

    net: Net
    answer: Answer
    question: Question

    @property
    def wrt(self) -> tuple[str, ...]:
        return self.question.wrt

    @property
    def of(self) -> str:
        return self.question.of

    @property
    def layout(self) -> Layout:
        """How the formula is laid out; vec where it was asked for or is the only matrix form."""
        return "vec" if self.answer.layout == "vec" else self.question.layout

    @property
    def convention(self) -> Convention:
        return self.question.convention

    @property
    def name(self) -> str:
        """What the formula is called: dZ1, or ∂A1/∂W1 where it is no gradient of the cost."""
        gradient = len(self.wrt) == 1 and is_scalar(self.net.engine.shapes[self.of])
        if gradient:
            return "d" + self.wrt[0]
        below = " ".join("∂" + w for w in self.wrt)
        return f"∂{('', '', '²', '³', '⁴')[len(self.wrt)]}{self.of}/{below}"

    @property
    def formula(self) -> str:
        """The formula in the canonical language; it may use the names of later adjoints."""
        return self.answer.formula

    @cached_property
    def expanded(self) -> str:
        """The formula without adjoint names, verified on its own."""
        if not self.answer.adjoints:
            return self.answer.formula
        return self.net.answer(self.question, use_adjoints=False).formula

    @property
    def shape(self) -> FullShape:
        return self.answer.shape

    def __str__(self) -> str:
        return f"{self._left} = {self.net.text(self.answer.tree)}"

    @property
    def _left(self) -> str:
        """What stands left of the formula; in the layout vec the columns of both are stacked."""
        if self.answer.layout != "vec":
            return display_name(self.name)
        *before, last = self.wrt
        value = self.of
        for name in before:
            value = f"∂{value}/∂{name}"
        return f"∂vec({value})/∂vec({last})ᵀ"

    def latex(self) -> str:
        """The formula in LaTeX (amsmath)."""
        return f"{self._latex_left} = {to_latex(self.answer.tree, self.net.shape_of)}"

    @property
    def _latex_left(self) -> str:
        vec = self.answer.layout == "vec"
        return vec_derivative(self.of, self.wrt) if vec else to_latex(Name(self.name), self.net.shape_of)

    def markdown(self) -> str:
        """The formula in Markdown that displays on GitHub, in Jupyter and in forums."""
        return to_markdown(self.latex(), str(self))

    def written(self, dialect: str) -> str:
        """The formula in another way of writing, of which reading gives this formula again.

        `dialect` is unicode, course, latex, numpy, octave, canonical, or the site for which the course's notation is
        made safe: discourse, github, jupyter. Raises ReadError for any other, RefusedError `not-expressible-in` where
        no text of the dialect is read as this formula.

        >>> d = Net(read_model("Z1 = W1 X; A1 = g1(Z1); J = norm(W2 A1)^2", "X: n x m")).gradient("W1")
        >>> d.written("course"), d.written("octave")
        ('dW^[1] = dZ^[1] X^T', "dW1 = dZ1 * X'")
        """
        if self.name.isidentifier() and self.answer.layout != "vec":
            return self.net.written(self.answer.tree, dialect, self.name)
        from whence.notation.writing import writing

        word = "_".join("d" + name for name in (self.of, *self.wrt))
        left = writing(dialect).left(self._left, self._latex_left, word)
        return f"{left} = {self.net.written(self.answer.tree, dialect)}"

    @property
    def certificate(self) -> Certificate:
        """Read as, derived, checked, assumes."""
        read_as = "; ".join(f"{s.target} = {to_text(s.expression)}" for s in self.net.model.statements)
        assumed = [f"{n} {', '.join(tags)}" for n, tags in self.net.model.assumptions.items()] + self.conditions
        if self.question.structured:
            assumed += [self._structure(name) for name in self.wrt]
        check = self.answer.check
        ordered = {s: check.sizes[s] for s in self.net.ordered_sizes if s in check.sizes}
        return certificate(
            read_as, replace(check, sizes={**ordered, **check.sizes}), proved=self.answer.proved, assumes=tuple(assumed)
        )

    def _structure(self, name: str) -> str:
        """What the structure of a variable does to its gradient, and the inner product."""
        tags = self.net.model.assumptions.get(name, ())
        tag = next((t for t in ("orthogonal", "diagonal", *STRUCTURED) if t in tags), None)
        return STRUCTURED[tag].format(name=name) if tag else f"{name} has no structure"

    @cached_property
    def conditions(self) -> list[str]:
        """What the functions on the way need: "invertible(A)", less what is proved."""
        engine = self.net.engine
        reach = self.net.reach(self.of)
        bodies = [d.body.node for d in engine.forward.definitions if d.name in reach]
        return conditions(
            [*bodies, self.answer.node], engine.facts_of, lambda n: self.net.text(engine.printer.forms(n)[0].tree)
        )

    @property
    def notes(self) -> list[str]:
        """What else must be said of the answer: that it is zero, and why."""
        if not is_zero(self.answer.node):
            return []
        depends = all(w in self.net.reach(self.of) for w in self.wrt)
        return [LABELS["zero" if depends else "independent"].format(of=self.of, wrt=" and ".join(self.wrt))]

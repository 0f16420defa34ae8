"""The right answer to the question at hand, in the forms that an answer is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from whence.check.point import NoPoint, Point
from whence.check.reading import Known
from whence.messages.errors import WhenceError
from whence.ops.table import CONSTANTS, TABLE
from whence.read.problem import Problem
from whence.read.syntax import Binary, Call, Expr, Index, Model, Range
from whence.read.vocabulary import without_primes
from whence.read.walk import names_in, walk
from whence.shapes.infer import ShapeTable
from whence.shapes.words import Sizes, claim_shape
from whence.verify.claim import Claim

Adjoints = dict[str, tuple[str, Expr]]  # name -> (of, formula), those it uses in turn first


class Found(Protocol):
    """A verified derivative, as the engine gives it."""

    @property
    def tree(self) -> Expr: ...
    @property
    def layout(self) -> str: ...
    @property
    def shape(self) -> Sizes: ...
    @property
    def adjoints(self) -> Adjoints: ...


class Derives(Protocol):
    """What this room needs of the engine, which comes later and is handed in."""

    @property
    def shapes(self) -> dict[str, Sizes]: ...
    @property
    def inputs(self) -> dict[str, Sizes]: ...
    @property
    def table(self) -> ShapeTable: ...
    def derive(
        self, expression: Expr, wrt: tuple[str, ...], *, structured: bool = False, use_adjoints: bool = True
    ) -> Found: ...


# An engine over a model, with names for adjoints (of -> name); it is told what is asked.
MakeEngine = Callable[[Model, Mapping[str, str], tuple[Expr, ...]], Derives]


class Reference:
    """A problem, its derivative where whence finds it, and the formulas of the adjoint names."""

    def __init__(self, problem: Problem, make: MakeEngine) -> None:
        self.problem = problem
        self.model = problem.model
        self.make = make
        self.engine = make(problem.model, {of: name for name, of in problem.adjoints.items()}, (problem.expression,))
        self._adjoints: Adjoints = {}
        self._points: dict[int, Point | None] = {}

    def asking(self, wrt: tuple[str, ...]) -> Reference:
        """The same model and cost, asked for the derivative by other names."""
        other = copy(self)
        for kept in ("answer", "expanded", "base"):
            other.__dict__.pop(kept, None)
        other.problem = replace(self.problem, wrt=wrt)
        other._points = {}
        return other

    # ---- names

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that a formula about this problem may use."""
        return frozenset([*self.engine.shapes, *self.problem.adjoints, *self.engine.table.dims])

    @cached_property
    def known(self) -> Known:
        """What the reader of an answer knows."""
        return Known(self.shapes, self.functions, self.engine.table.dims)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that the model declares or defines."""
        return (*self.model.functions, *self.model.defined)

    def unknown_names(self, formula: Expr) -> list[str]:
        """The names of a formula that the problem does not have, in order. Index letters are none."""
        indices = {
            n
            for node in walk(formula)
            if isinstance(node, Index)
            for place in node.places
            if not isinstance(place, Range)
            for n in names_in(place)
        }
        named = {
            n
            for node in walk(formula)
            if isinstance(node, Call) and node.name in TABLE
            for n in TABLE[node.name].functions
        }
        called = {without_primes(node.name)[0] for node in walk(formula) if isinstance(node, Call)}
        strange = called - TABLE.keys() - set(self.functions)
        return [*sorted(names_in(formula) - self.names - indices - named - CONSTANTS.keys()), *sorted(strange)]

    @cached_property
    def shapes(self) -> dict[str, Sizes]:
        """Names and adjoint names with their shapes."""
        shapes = dict(self.engine.shapes)
        return shapes | {name: shapes[of] for name, of in self.problem.adjoints.items()}

    # ---- the right answer

    @cached_property
    def answer(self) -> Found | None:
        """The verified derivative, None where whence has none to compare with."""
        return self._derived(self.problem.wrt)

    @cached_property
    def expanded(self) -> Found | None:
        """The same without adjoint names."""
        if self.answer is None or not self.answer.adjoints:
            return self.answer
        return self._derived(self.problem.wrt, use_adjoints=False)

    @property
    def truth(self) -> Expr | None:
        return self.answer.tree if self.answer is not None else None

    @property
    def layout(self) -> str:
        return self.answer.layout if self.answer is not None else self.problem.layout

    def _derived(self, wrt: tuple[str, ...], use_adjoints: bool = True) -> Found | None:
        problem = self.problem
        try:
            return self.engine.derive(
                problem.expression, wrt, structured=problem.structured and wrt == problem.wrt, use_adjoints=use_adjoints
            )
        except WhenceError:
            return None

    def adjoints(self, *formulas: Expr) -> Adjoints | None:
        """The formulas of the adjoint names that these formulas use; None where one has none."""
        known = set(self.problem.adjoints)
        wanted = sorted(known & {n for f in formulas for n in names_in(f)})
        out: Adjoints = {}
        for name in wanted:
            if name in out:
                continue
            found = self.adjoint(name)
            if found is None:
                return None
            for key, value in found.items():
                out.setdefault(key, value)
        return out

    def adjoint(self, name: str) -> Adjoints | None:
        """The formula of an adjoint name, behind those that it uses."""
        if name not in self._adjoints:
            of = self.problem.adjoints[name]
            answer = self._derived((of,))
            if answer is None or name in names_in(answer.tree):
                answer = self._derived((of,), use_adjoints=False)
            if answer is None:
                return None
            for key, value in answer.adjoints.items():
                self._adjoints.setdefault(key, value)
            self._adjoints[name] = (of, answer.tree)
        of, formula = self._adjoints[name]
        out: Adjoints = {}
        for used in sorted(names_in(formula) & set(self.problem.adjoints)):
            found = self.adjoint(used)
            if found is None:
                return None
            out |= {k: v for k, v in found.items() if k not in out}
        out[name] = (of, formula)
        return out

    @cached_property
    def samples(self) -> str:
        """The size over which the cost is an average; empty where it is none.

        Told from the text: the cost, or a line that it uses, is divided by this size or is a mean.
        """
        for tree in (self.problem.expression, *(s.expression for s in reversed(self.model.statements))):
            for node in walk(tree):
                if isinstance(node, Binary) and node.operator == "/":
                    below = names_in(node.right) & set(self.engine.table.dims)
                    if below:
                        return min(below)
        return ""

    def is_parameter(self, name: str) -> bool:
        """Has it no axis of samples? Then its gradient is that of the averaged cost in every convention."""
        return not self.samples or all(str(size) != self.samples for size in self.engine.shapes[name])

    # ---- what is claimed

    def claim(self, answer: Expr, layout: str | None = None, extra: tuple[tuple[str, Expr], ...] = ()) -> Claim | None:
        """That a formula is the derivative; None where an adjoint name in it has no formula.

        `extra` are further definitions that it may use: a person's own lines.
        """
        adjoints = self.adjoints(answer, *(formula for _, formula in extra))
        if adjoints is None:
            return None
        model, problem = self.model, self.problem
        return Claim(
            variables={n: claim_shape(s) for n, s in self.engine.inputs.items()},
            assume=dict(model.assumptions),
            functions=tuple(model.functions),
            definitions=(*((s.target, s.expression) for s in model.statements), *extra),
            expression=problem.expression,
            wrt=problem.wrt,
            answer=answer,
            adjoints=adjoints,
            layout=layout or self.layout,
            structured=problem.structured,
            defined=model.defined,
        )

    @cached_property
    def base(self) -> Claim | None:
        """The right answer as a claim, with all adjoint names that a person or a repair may use."""
        claim = self.claim(self.truth) if self.truth is not None else None
        return claim if claim is None else self.with_adjoints(claim)

    def with_adjoints(self, claim: Claim) -> Claim:
        """A claim with all adjoint names that have a formula."""
        adjoints = dict(claim.adjoints)
        for name in self.problem.adjoints:
            for key, value in (self.adjoint(name) or {}).items():
                adjoints.setdefault(key, value)
        return replace(claim, adjoints=adjoints)

    def point(self, skip: int) -> Point | None:
        """A point of the base claim, the same one in every examination; None where there is none."""
        if skip not in self._points:
            try:
                self._points[skip] = Point(self.base, seed=skip, skip=skip) if self.base is not None else None
            except NoPoint:
                self._points[skip] = None
        point = self._points[skip]
        return None if point is None else point.copy()

    def assuming(self, claim: Claim, name: str, *tags: str) -> Claim:
        """The claim with one more assumption."""
        return replace(claim, assume={**claim.assume, name: (*claim.assume.get(name, ()), *tags)})

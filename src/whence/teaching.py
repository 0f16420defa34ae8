"""What a derivative can be asked about where it comes from: the derivation, its readings, the lessons on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from whence.expr.node import Node, dimension
from whence.expr.sums import make_sum
from whence.messages.errors import ReadError
from whence.messages.labels import LABELS
from whence.notation.unicode import display_name
from whence.shapes.dims import Dim
from whence.shapes.words import text as shape_text
from whence.steps.derivation import Derivation, derivation
from whence.steps.lesson import Lesson
from whence.steps.matrix_reading import Step, index_reading, laws, matrix_reading, steps
from whence.steps.reasons import QUESTIONS
from whence.steps.replay import exported, verified
from whence.steps.scalar_reading import scalar_reading
from whence.steps.style import Style

if TYPE_CHECKING:
    from whence.engine import Answer
    from whence.net import Net
    from whence.verify.certificate import Certificate

View = Literal["matrix", "index", "scalar", "all"]
Show = Literal["chain", "multiply", "toy", "arrangements"]
ONE = Dim.parse(1)
SYMMETRIC = {"symmetric", "pd", "psd", "diagonal"}  # the assumptions that make a matrix equal to its transpose


def check_option(name: str, value: str, allowed: object) -> None:
    """Raise ReadError `bad-option` for a word that is not allowed."""
    words = allowed if isinstance(allowed, tuple) else get_args(allowed)
    if value not in words:
        raise ReadError("bad-option", found=f"{name} {value!r}", expected="one of " + ", ".join(words))


class Taught:
    """The part of a derivative that explains it."""

    if TYPE_CHECKING:
        net: Net
        answer: Answer

        @property
        def of(self) -> str: ...
        @property
        def wrt(self) -> tuple[str, ...]: ...
        @property
        def name(self) -> str: ...
        @property
        def shape(self) -> tuple[Dim, ...]: ...
        @property
        def convention(self) -> str: ...
        @property
        def certificate(self) -> Certificate: ...
        @property
        def notes(self) -> list[str]: ...
        def written(self, dialect: str) -> str: ...

    # ------------------------------------------------------------ the derivation
    @property
    def derivation(self) -> Derivation:
        """The record of the steps, of which the three readings are printed."""
        return self._derivation

    @cached_property
    def _derivation(self) -> Derivation:
        engine = self.net.engine
        symbols = {of: engine.symbol(of) for of in engine.adjoint_names if of != self.wrt[0]}
        reach = self.net.reach(self.of)
        on_the_way = {of: s for of, s in symbols.items() if of in reach}
        answer = self.answer.node
        if self.convention == "course":  # adjoint names stand for m times the derivative
            on_the_way = {of: s if self.net.is_parameter(of) else self._averaged(s) for of, s in on_the_way.items()}
            answer = answer if self.net.is_parameter(self.wrt[0]) else self._averaged(answer)
        found = derivation(engine.forward, self.wrt[0], self.of, on_the_way, answer)
        if found.complete and not verified(found, self._style, self.answer.tree, self.net.setting):
            return replace(found, complete=False, limit="unverified")
        return found

    def _averaged(self, node: Node) -> Node:
        """A node divided by the number of samples."""
        assert self.net.samples is not None
        own = tuple(range(node.rank))
        return make_sum([(1, [(node, own, 1), (dimension(self.net.samples), (), -1)])], node.dims)

    @cached_property
    def steps(self) -> list[Step]:
        """The moves of the derivation as data: rule, before, after, reason, shape."""
        if len(self.wrt) != 1 or not self.derivation.complete:
            return []
        return steps(self.derivation, self._style, lambda n: shape_text((*n.dims, ONE) if n.rank == 1 else n.dims))

    def exported(self) -> dict[str, Any]:
        """The derivation as plain data (JSON), which `verify.replayed` accepts or rejects by school algebra alone.

        >>> from whence import model
        >>> from whence.verify.replayed import replayed
        >>> bool(replayed(model("z = W x; J = norm(z)^2", shapes="W: n x m, x: m").gradient("W").exported()))
        True
        """
        lines = {s.target: s.expression for s in self.net.model.statements}
        found = exported(self.derivation, self._style, self.answer.tree, lines, self.of)
        symmetric = sorted(name for name, words in self.net.setting.assume.items() if {*words} & SYMMETRIC)
        return found | {"functions": list(self.net.model.functions), "symmetric": symmetric}

    @property
    def _style(self) -> Style:
        engine = self.net.engine
        printer = engine.step_printer()
        statements = {s.target: (s.expression, s.line) for s in self.net.model.statements}
        shapes = {**self.net.engine.shapes, **{a: engine.shapes[of] for of, a in engine.adjoint_names.items()}}
        scaled = self.convention == "course" and not self.net.is_parameter(self.wrt[0])
        return Style(
            self.net.text, printer, shapes, statements, self.net.shape_of, str(self.net.samples) if scaled else ""
        )

    def explain(
        self,
        view: View | None = None,
        sizes: Mapping[str, int] | None = None,
        depth: int = 2,
        only: str | None = None,
        show: str | None = None,
        write: str | None = None,
    ) -> str:
        """The derivation as text: one entry first, then all entries at once, then the certificate.

        `view` shows one reading alone, "scalar", "index" or "matrix", or "all" three, step by step. `depth` 1 gives
        the formula with one line of reason, 3 every small step with its rule. `only` answers one question: "transpose",
        "order", "hadamard", "sum". `show` gives another lesson instead: "chain", "multiply", "toy", "arrangements".
        `sizes` are those of the scalar reading and of the toy example. With `write` the answer at the top is in that
        way of writing (`written`). Raises ReadError for other words.
        """
        from whence.steps.page import explanation

        for name, word, allowed in (
            ("view", view, View),
            ("depth", str(depth), Literal["1", "2", "3"]),
            ("only", only, tuple(QUESTIONS)),
            ("show", show, Show),
        ):
            if word is not None:
                check_option(name, word, allowed)
        return explanation(self, view, dict(sizes or {}), depth, only, show, write)

    @property
    def lesson(self) -> Lesson:
        """What the lessons on this gradient are made of."""
        return self._lesson

    @cached_property
    def _lesson(self) -> Lesson:
        adjoints = tuple((of, name, tree) for name, (of, tree) in self.answer.adjoints.items())
        return Lesson(
            self.derivation,
            self._style,
            self.net.setting,
            self.answer.tree,
            display_name(self.name),
            str(self),
            self.of,
            self.certificate.derived,
            adjoints,
            tuple(self.net.ordered_sizes),
            str(self.net.samples or ""),
            frozenset(self.net.model.functions),
            self.net.engine.forward,
            lambda name: self.net.text(self.net.gradient(name, self.of).answer.tree),
        )

    def toy_sizes(self, given: Mapping[str, int]) -> dict[str, int]:
        """Sizes for the scalar reading: 2, and 1 for the samples."""
        out = dict.fromkeys(self.net.ordered_sizes, 2)
        samples = self.net.samples
        if samples is not None and str(samples) in out and samples in self.net.engine.shapes[self.wrt[0]]:
            out[str(samples)] = 1
        return {**out, **given}

    def scalar_lines(self, sizes: Mapping[str, int]) -> list[tuple[str, str]]:
        return scalar_reading(
            self.derivation, self._style, self.answer.tree, sizes, frozenset(self.net.model.functions), self.of
        )

    def adjoint_texts(self, write: str | None = None) -> list[tuple[str, str]]:
        """The adjoint names that the formula rests on: (of, the formula as shown), those it uses itself first."""
        adjoints = reversed(self.answer.adjoints.items())
        if write:
            return [(of, self.net.written(tree, write, name)) for name, (of, tree) in adjoints]
        return [(of, f"{display_name(name)} = {self.net.text(tree)}") for name, (of, tree) in adjoints]

    def meaning(self, of: str) -> str:
        """What the name of a gradient means: ∂J/∂Z1, or so many times that in the course's convention."""
        name = display_name("d" + of)
        texts = {"name": name, "of": display_name(self.of), "wrt": display_name(of)}
        if self.convention == "course" and not self.net.is_parameter(of):
            return LABELS["means-scaled"].format(number=self.net.samples, **texts)
        return LABELS["means"].format(**texts)

    def law_lines(self) -> list[str]:
        return laws(self.derivation)

    def matrix_lines(self) -> list[tuple[str, str]]:
        return matrix_reading(self.derivation, self._style, self.of, str(self))

    def index_lines(self) -> list[tuple[str, str]]:
        return index_reading(self.derivation, self._style, display_name(self.name), self.of)

"""The workbench of one repair: the person's formula, the right one, and what is asked about parts of them."""

from __future__ import annotations

from functools import cached_property

from whence.check.answer import Examination
from whence.check.factor import Factor, named, ratio
from whence.check.known import Activation, Knowledge, family, one_argument_functions, slope
from whence.check.point import Point, Values
from whence.check.trees import ONE, Site, binary, chain, sites, terms
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Transpose
from whence.read.vocabulary import PRIME
from whence.read.walk import names_in, walk
from whence.verify.algebra import Array
from whence.verify.claim import same_shape

MAX_WORK = 40_000  # entries computed in the field
MAX_TRIED = 1_200  # changed formulas


class Bench(Knowledge):
    """Asks the field, by values; says of changed parts what the mistake is called."""

    def __init__(self, examination: Examination, point: Point) -> None:
        super().__init__(examination.reference)
        assert examination.truth is not None
        self.examination = examination
        self.tree = examination.tree
        self.truth = examination.truth
        self.point = point
        target, answer = point.value(self.truth), point.value(self.tree)
        assert target is not None
        self.target: Array = target
        self.answer: Array | None = answer
        self.wanted: Values = point.values(target)
        self.tried: set[Expr] = set()

    # ---- by values

    @property
    def exhausted(self) -> bool:
        return self.point.work > MAX_WORK or len(self.tried) > MAX_TRIED

    def hits(self, tree: Expr) -> bool:
        """Is a changed formula right, here and at a point of other sizes?"""
        if tree in self.tried:
            return False
        self.tried.add(tree)
        value = self.point.value(tree)
        return self.is_target(value) and self.holds_elsewhere(tree)

    def is_target(self, value: Array | None) -> bool:
        return (
            value is not None and same_shape(value.shape, self.target.shape) and self.point.values(value) == self.wanted
        )

    def holds_elsewhere(self, tree: Expr) -> bool:
        other = self.examination.elsewhere
        return other is None or other.same(other.value(tree), other.value(self.truth))

    def equals_answer(self, tree: Expr) -> bool:
        """Has a changed form of the truth the person's values? Then what was changed is the mistake."""
        value = self.point.value(tree)
        if self.answer is None or value is None or not self.point.same(value, self.answer):
            return False
        other = self.examination.elsewhere
        return other is None or other.same(other.value(tree), other.value(self.tree))

    def factor_of(self, tree: Expr, over: Expr) -> Factor | None:
        """The plainest number, with sizes, that one formula is times another, here and at other sizes."""
        found: set[Factor] | None = None
        for point in (self.point, self.examination.elsewhere):
            if point is None:
                continue
            one, two = point.value(tree), point.value(over)
            value = ratio(point, one, two) if one is not None and two is not None and one.size > 1 else None
            if value is None:
                return None
            here = set(named(point, value, {}))
            found = here if found is None else found & here
        return min(found, key=Factor.complexity) if found else None

    def same(self, one: Expr, two: Expr) -> bool:
        return self.point.same(self.point.value(one), self.point.value(two))

    def shape(self, tree: Expr) -> tuple[int, ...] | None:
        value = self.point.value(tree)
        return None if value is None else value.shape

    # ---- what a part is

    def is_vector(self, tree: Expr) -> bool:
        shape = self.shape(tree)
        return shape is not None and len(shape) == 2 and 1 in shape and shape != (1, 1)

    def is_number(self, tree: Expr) -> bool:
        value = self.point.value(tree)
        return value is not None and value.size == 1

    @cached_property
    def slopes(self) -> list[tuple[Activation, Expr]]:
        return [(a, a.slope) for a in self.activations if a.entrywise]

    def wrong_slopes(self, a: Activation) -> list[tuple[Expr, str]]:
        """What people write for f′(Z), with the name of the mistake."""
        z, value = a.argument, a.value
        again = Call(a.function, (value,))
        out = [
            (value, "function-value-for-derivative"),
            (a.call, "function-value-for-derivative"),
            (slope(a.function, value, again), "derivative-at-wrong-point"),
            (slope(a.function, z, z), "derivative-at-wrong-point"),
            (slope(a.function, value, value), "derivative-at-wrong-point"),
            (Call(a.function + PRIME, (value,)), "derivative-at-wrong-point"),
        ]
        out += [(slope(f, z, value), "wrong-derivative-function") for f in one_argument_functions() if f != a.function]
        return out

    def wrong_slope(self, a: Activation, node: Expr) -> str:
        """The mistake, where a part has the value of something that people write for f′(Z); else empty."""
        found = self.point.value(node)
        if found is None or found.size == 1:
            return ""
        key = self._wrong_values(a)
        return key.get((found.shape, self.point.values(found)), "")

    def _wrong_values(self, a: Activation) -> dict[tuple[tuple[int, ...], Values], str]:
        known = self.__dict__.setdefault("_wrong", {})
        if a not in known:
            out: dict[tuple[tuple[int, ...], Values], str] = {}
            right = self.point.value(a.slope)
            for tree, word in self.wrong_slopes(a):
                value = self.point.value(tree)
                if value is not None and not self.point.same(value, right):
                    out.setdefault((value.shape, self.point.values(value)), word)
            known[a] = out
        return known[a]

    def is_slope(self, tree: Expr) -> bool:
        """Has a part the value of some f′(Z)?"""
        return any(self.same(tree, right) for _, right in self.slopes)

    def in_slope(self, site: Site) -> bool:
        """Does a place lie in what is meant as a derivative: in f′( ), or in a factor such as 1 - A**2?"""
        for outer in reversed(site.above):
            if isinstance(outer, Call) and outer.name.endswith(PRIME):
                return True
            if (
                isinstance(outer, Binary)
                and outer.operator in "+-"
                and any(isinstance(p, Number) for p in (outer.left, outer.right))
            ):
                return True
        return False

    def arguments_with(self, name: str) -> list[Expr]:
        """The arguments of the model's functions that are made of this name alone."""
        out: dict[Expr, None] = {}
        for tree in (self.truth, *self.bodies.values()):
            for node in walk(tree):
                if (
                    isinstance(node, Binary)
                    and node.operator == "/"
                    and node.left == Name(name)
                    and not names_in(node.right)
                ):
                    out[node] = None
        return list(out)

    # ---- what a change is called

    def extra_term(self, term: Expr) -> str:
        names = names_in(term)
        if any(n.startswith("d") and n[1:] in self.reference.engine.inputs for n in names):
            return "updated-weights"
        return "extra-term"

    def extra_factor(self, tree: Expr, factor: Expr) -> str:
        if self.is_slope(factor) or any(
            self.same(factor, binary("*", a.value, binary("-", ONE, a.value))) for a in self.normalised
        ):
            return "extra-activation-derivative"
        left = [link.factor for s in sites(tree) for link in chain(s.node)]
        return (
            "double-counted"
            if left.count(factor) > 1 and not isinstance(factor, Number) and self.twice(factor)
            else "extra-factor"
        )

    def twice(self, factor: Expr) -> bool:
        """Does the person's formula have this factor more than once?"""
        return sum(s.node == factor for s in sites(self.tree)) > 1

    def confused(self, tree: Expr, site: Site | None, old: str, new: str, count: int) -> str:
        """What it is called to write one name for another."""
        a = self.activation_of(old, new)
        alone = names_in(tree) - set(self.reference.engine.table.dims) == {old}
        if a is not None and (site is not None and self.in_slope(site) or site is None and alone):
            return "derivative-at-wrong-point"
        same_letters = family(old)[0] == family(new)[0] and family(old)[1] and family(new)[1]
        if same_letters:
            if old in self.reference.engine.inputs and new in self.reference.engine.inputs and not self._is_state(old):
                return "wrong-variable"
            return "index-mixup" if self.recurrent and self._steps(old, new) else "swapped-substitution"
        if a is not None and (count > 1 or site is None):
            return "swapped-substitution"
        if a is None and self.made_of(old, new):
            return "swapped-substitution"
        if site is None and self._upstream(old) and self._upstream(new):
            return "swapped-substitution"
        return "wrong-variable"

    def _is_state(self, name: str) -> bool:
        letters = family(name)[0]
        return any(family(t)[0] == letters for t in self.bodies)

    def _steps(self, old: str, new: str) -> bool:
        letters = family(old)[0]
        return sum(family(n)[0] == letters for n in self.reference.engine.shapes) > 2

    def _upstream(self, name: str) -> bool:
        return name in self.reference.problem.adjoints or (
            name in self.reference.engine.inputs and name in names_in(self.reference.problem.expression)
        )

    # ---- what may be missing

    @cached_property
    def factors(self) -> list[tuple[Expr, str]]:
        """Factors of the right answer and of the model, with the name of the mistake to leave them out."""
        out: dict[Expr, str] = {}

        def note(tree: Expr) -> None:
            if isinstance(tree, Number | Negative) or tree in out:
                return
            word = "missing-activation-derivative" if self.is_slope(tree) else "missing-factor"
            out[tree] = word

        for form in self.forms:
            for _, term in terms(form):
                for link in chain(term):
                    note(link.factor.operand if isinstance(link.factor, Transpose) else link.factor)
        for _, right in self.slopes:
            note(right)
        for name, shape in self.reference.shapes.items():
            if shape:
                note(Name(name))
            else:
                out[Name(name)] = "missing-factor"
        for size in self.reference.engine.table.dims:
            note(Name(size))
        return list(out.items())[:28]

    @cached_property
    def forms(self) -> list[Expr]:
        """The truth as derived, and without adjoint names."""
        expanded = self.reference.expanded if self.examination.wanted else None
        out = [self.truth]
        if expanded is not None and expanded.tree != self.truth and expanded.layout == self.reference.layout:
            out.append(expanded.tree)
        return out

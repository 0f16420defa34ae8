"""One answer to one question: the verdict."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from whence.check.equality import EQUAL, NOT_EQUAL, is_derivative
from whence.check.factor import Factor, named, ratio
from whence.check.point import NoPoint, Point
from whence.check.reference import Reference
from whence.check.verdict import EQUIVALENT, SHAPE_ERROR, UNDECIDED, UP_TO_FACTOR, WRONG, Verdict
from whence.messages.errors import LimitError, ShapeError, WhenceError
from whence.read.canonical import to_text
from whence.read.syntax import Expr, Index
from whence.read.walk import walk
from whence.shapes.words import words
from whence.verify.algebra import Array
from whence.verify.certificate import checked_text
from whence.verify.claim import Claim, same_shape


class Examination:
    """One formula beside the right one, at the points where they are compared."""

    def __init__(
        self, reference: Reference, tree: Expr, extra: tuple[tuple[str, Expr], ...] = (), truth: Expr | None = None
    ) -> None:
        self.reference = reference
        self.tree = tree
        self.extra = extra
        self.truth = truth if truth is not None else reference.truth
        self.wanted = truth is None

    @cached_property
    def claim(self) -> Claim | None:
        return self.reference.claim(self.tree, extra=self.extra)

    @cached_property
    def base(self) -> Claim | None:
        """The claim with all adjoint names that the person or a repair may use."""
        if self._plain:
            return self.reference.base
        if self.claim is None or self.truth is None:
            return None
        return replace(self.reference.with_adjoints(self.claim), answer=self.truth)

    @cached_property
    def _plain(self) -> bool:
        """Is it one of many about the same derivative? Then its points are theirs."""
        return self.wanted and not self.extra and not any(isinstance(node, Index) for node in walk(self.tree))

    @cached_property
    def point(self) -> Point | None:
        return self._point(0)

    @cached_property
    def elsewhere(self) -> Point | None:
        """A second point, at other sizes."""
        return self._point(1)

    def _point(self, skip: int) -> Point | None:
        if self._plain and self.claim is not None:
            return self.reference.point(skip)
        if self.base is None:
            return None
        try:
            return Point(self.base, seed=skip, skip=skip)
        except NoPoint:
            return None

    # ---- comparisons in the field

    def pair(self, point: Point | None) -> tuple[Array, Array] | None:
        """The values of the answer and of the truth; None where one has none."""
        if point is None or self.truth is None:
            return None
        answer, truth = point.value(self.tree), point.value(self.truth)
        return (answer, truth) if answer is not None and truth is not None else None

    def fits(self) -> bool | None:
        """Has the answer a value of the right shape? None where that cannot be seen."""
        point = self.point
        if point is None or self.truth is None:
            return None
        truth = point.value(self.truth)
        if truth is None:
            return None
        answer = point.value(self.tree)
        return answer is not None and same_shape(answer.shape, truth.shape)

    def factor(self) -> Factor | None:
        """answer = factor * truth with a factor that does not depend on the data; of a single number never said."""
        first = self.pair(self.point)
        if first is None or self.point is None or first[1].size == 1:
            return None
        value = ratio(self.point, *first)
        if value is None:
            return None
        second = self.pair(self.elsewhere)
        other = ratio(self.elsewhere, *second) if second is not None and self.elsewhere is not None else None
        candidates = list(named(self.point, value, _numbers(self.point)))
        if other is not None and self.elsewhere is not None:
            there = set(named(self.elsewhere, other, _numbers(self.elsewhere)))
            candidates = [c for c in candidates if c in there]
        if candidates:
            return min(candidates, key=Factor.complexity)
        fixed = self.point.scalars()
        try:
            again = Point(self.base, seed=77, sizes=self.point.sizes, fixed=fixed)  # type: ignore[arg-type]  # there is a point
        except NoPoint:
            return None
        third = self.pair(again)
        if third is None or ratio(again, *third) != value:
            return None
        return Factor(known=False)


def _numbers(point: Point) -> dict[str, int]:
    return {
        name: point.values(x)[0] for name, x in point.scalars().items() if len(x.parts[0]) == 1 and 1 not in x.parts
    }


def judged(examination: Examination) -> Verdict:
    """The verdict alone: the mistake is looked for elsewhere."""
    reference, tree = examination.reference, examination.tree
    read_as = to_text(tree)
    if examination.claim is None:
        return Verdict(UNDECIDED, detail="An adjoint name in it has no formula to compare with.", read_as=read_as)
    fits = examination.fits()
    if fits is None:
        return _without_truth(examination, read_as)
    if not fits:
        return _misfit(examination, read_as)
    pair = examination.pair(examination.point)
    same = pair is not None and examination.point is not None and examination.point.same(*pair)
    outcome, found, seen = is_derivative(examination.claim, same, examination.point)
    if outcome == EQUAL and found is not None:
        return Verdict(EQUIVALENT, certificate=checked_text(found), read_as=read_as)
    if outcome != NOT_EQUAL:
        return Verdict(UNDECIDED, detail="Neither a proof nor a counterexample was found.", read_as=read_as)
    factor = examination.factor()
    if factor is not None:
        return Verdict(
            UP_TO_FACTOR, factor=factor, witness=seen, read_as=read_as, convention=_convention(reference, factor)
        )
    return Verdict(WRONG, witness=seen, read_as=read_as)


def _misfit(examination: Examination, read_as: str) -> Verdict:
    """A shape error, unless the answer is right in the other layout of derivatives."""
    claim = examination.claim
    assert claim is not None
    other = replace(claim, layout="matrix" if claim.layout == "vec" else "vec")
    if examination.point is not None and examination.point.value(examination.tree) is not None and len(claim.wrt) < 3:
        outcome, found, _ = is_derivative(other)
        if outcome == EQUAL and found is not None:
            return Verdict(
                EQUIVALENT, detail=f"In the layout {other.layout}.", certificate=checked_text(found), read_as=read_as
            )
    return Verdict(SHAPE_ERROR, detail=shape_sentence(examination), read_as=read_as)


def _without_truth(examination: Examination, read_as: str) -> Verdict:
    """Where whence has no derivative to compare with, the judge still has the forward text."""
    claim = examination.claim
    assert claim is not None
    for layout in ("matrix", "vec"):
        outcome, found, seen = is_derivative(replace(claim, layout=layout))
        if outcome == EQUAL and found is not None:
            return Verdict(EQUIVALENT, certificate=checked_text(found), read_as=read_as)
        if seen is not None:
            return Verdict(WRONG, witness=seen, read_as=read_as)
    return Verdict(UNDECIDED, detail="whence has no derivative to compare this with.", read_as=read_as)


def shape_sentence(examination: Examination) -> str:
    """Why a formula does not fit, with the shapes."""
    reference = examination.reference
    shapes = dict(reference.shapes)
    try:
        for name, formula in examination.extra:
            shapes[name] = reference.engine.table.shape_of(formula, extra=shapes)
        own = reference.engine.table.shape_of(examination.tree, extra=shapes)
    except (ShapeError, LimitError, WhenceError) as error:
        return error.message
    wanted = reference.answer.shape if reference.answer is not None else ()
    return f"It is {words(own)}, the derivative is {words(wanted)}."


def _convention(reference: Reference, factor: Factor) -> str:
    """Whether a factor is the course's: the number of samples, over which the cost is an average."""
    samples = reference.samples
    course = factor.known and factor.number == 1 and samples and factor.powers == ((samples, 1),)
    return "course" if course else "exact"

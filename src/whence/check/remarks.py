"""What else is true of an answer that is not right: right once broadcast, or right for a single sample."""

from __future__ import annotations

from whence.check.answer import Examination
from whence.check.point import NoPoint, Point
from whence.check.trees import ONE, binary
from whence.messages.mistakes import AT_ONE_SENTENCE, BROADCAST_SENTENCE
from whence.read.syntax import Number
from whence.verify.claim import same_shape


def remark(examination: Examination) -> str:
    """A sentence, or none. It is said by values at a point of the field; the verdict does not rest on it."""
    if right_after_broadcast(examination):
        return BROADCAST_SENTENCE
    samples = examination.reference.samples
    if samples and right_at_one(examination, samples):
        return AT_ONE_SENTENCE.format(size=samples)
    return ""


def right_after_broadcast(examination: Examination) -> bool:
    """Has every entry the right value once the answer is broadcast to the derivative's shape?"""
    pair = examination.pair(examination.point)
    if pair is None or examination.point is None or examination.truth is None:
        return False
    answer, truth = pair
    if answer.size >= truth.size or same_shape(answer.shape, truth.shape):
        return False
    zero = binary("*", Number(0 * ONE.value), examination.truth)
    whole = examination.point.value(binary("+", zero, examination.tree))
    return examination.point.same(whole, truth)


def right_at_one(examination: Examination, size: str) -> bool:
    """Is it right where a size is 1, and the derivative not zero there?"""
    point, base = examination.point, examination.base
    if point is None or base is None or examination.truth is None:
        return False
    try:
        there = Point(base, seed=5, sizes={**point.sizes, size: 1})
    except NoPoint:
        return False
    truth = there.value(examination.truth)
    return truth is not None and any(there.values(truth)) and there.same(there.value(examination.tree), truth)

"""Why a check could not go on. None of these leaves the room: they end as the `reason` of a Check."""

from __future__ import annotations


class Failure(Exception):
    """Root of the room's own exceptions."""


class Misfit(Failure):
    """Shapes or arguments do not fit, or a word is not of the language."""


class TooLarge(Misfit):
    """More work than a check may do."""


class BadSizes(Failure):
    """At these sizes an axis happens to shrink to a single entry: choose others."""


class BadPoint(Failure):
    """A singular matrix, a division by zero or an argument outside a domain: draw again."""


class NotExact(Failure):
    """Something has no value in exact arithmetic; only the check by value is possible."""


class NoRoot(BadPoint):
    """A number that happens to have no root in the field."""


class Singular(BadPoint):
    """A singular matrix: perhaps at every point of these sizes."""


class OutOfDomain(BadPoint):
    """An argument for which a function has no value."""


class Kink(Failure):
    """At these sizes no point is smooth: what holds at other sizes is not the derivative here."""

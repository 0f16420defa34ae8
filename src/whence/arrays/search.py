"""A backward pass at given arrays: its exact values, how far they may be off, and which wrong formula gives others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from whence.arrays.faults import Fault, Surroundings, faults, unused
from whence.arrays.rounding import RUNS, Format, Rounding, envelope
from whence.arrays.values import Values
from whence.messages.errors import RefusedError
from whence.read.syntax import Binary, Expr, Function, Name, Number
from whence.read.walk import names_in

if TYPE_CHECKING:
    from numpy import ndarray as Array

NEARLY = 0.3  # a formula that leaves so much of the difference explains it
WIDER, CLEARLY = 2.0, 1e-3  # rounding beyond what is allowed of the exact value, next to a far larger difference
HIDDEN_WORK, MIN_TRIES = 30_000_000, 30  # entries evaluated, formulas tried: the search is bounded by a count
HIDDEN = 0.5  # of a difference that rounding might have made
LOOSE = 0.02  # an envelope wider than this share of the values may hide a mistake
ENOUGH = 32  # entries from which a hidden mistake is told from rounding
ROUGH = (ValueError, RefusedError, IndexError, ZeroDivisionError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Line:
    """One equation of the forward or the backward pass."""

    name: str
    tree: Expr
    forward: bool = False


@dataclass(frozen=True)
class Cause:
    """A mistake in one line that gives the numbers of the gradients named."""

    line: Line
    fault: Fault
    explains: tuple[str, ...]
    complete: bool  # within rounding in every entry
    left: float  # of the difference


class Backward:
    """The lines of both passes at given inputs."""

    def __init__(
        self,
        lines: Sequence[Line],
        inputs: Mapping[str, Array],
        sizes: Mapping[str, int],
        defined: Mapping[str, Function],
        format: Format,
        expanded: Callable[[str], Expr | None],
    ) -> None:
        self.lines, self.sizes, self.format, self.expanded = tuple(lines), sizes, format, expanded
        self.inputs, self.defined = dict(inputs), defined
        self.exact = Values(inputs, sizes, defined)
        self._run(self.exact)

    def _run(self, values: Values) -> None:
        import numpy as np

        with np.errstate(all="ignore"):
            for line in self.lines:
                values.names[line.name] = values.of(line.tree)

    @cached_property
    def runs(self) -> list[dict[str, Array]]:
        """The values of all names with roundings, several times."""
        out = []
        for k in range(RUNS):
            rounding = Rounding(self.format, self.exact, k)
            inputs = {n: rounding.of_input(x) for n, x in self.inputs.items()}
            values = Values(inputs, self.sizes, self.defined, rounding)
            self._run(values)
            out.append(values.names)
        return out

    @cached_property
    def alike(self) -> dict[str, list[str]]:
        """The other names of the same shape, for each name that is no number."""
        shapes = {n: x.shape for n, x in self.exact.names.items() if x.size > 1}
        return {n: [m for m in sorted(shapes) if m != n and shapes[m] == s] for n, s in shapes.items()}

    @cached_property
    def entries(self) -> int:
        """How many numbers a whole evaluation has."""
        return sum(x.size for x in self.exact.names.values())

    def envelope(self, name: str) -> Array:
        return envelope(self.exact.names[name], [run[name] for run in self.runs], self.format)

    # ------------------------------------------------------------ one line changed
    def changed(self, line: Line, tree: Expr, wanted: Sequence[str]) -> dict[str, Array]:
        """The values of the names `wanted` where one line is another formula."""
        names = {line.name: self.exact.of(tree, keep=False)}
        if line.name in wanted and len(wanted) == 1:
            return names
        start = self.lines.index(line) + 1 if line in self.lines else len(self.lines)
        start = 0 if line.name in self.inputs else start
        for later in self.lines[start:]:
            if not names.keys().isdisjoint(names_in(later.tree)):
                names[later.name] = self.exact.of(later.tree, names, keep=False)
        return {n: names[n] for n in wanted if n in names}

    def changed_by(self, line: Line, others: Mapping[str, Array]) -> tuple[str, Array] | None:
        """The value of a line where names before it have other values, and the first of these; None: it has none."""
        used = [n for n in others if n in names_in(line.tree)]
        if not used:
            return None
        return used[0], self.exact.of(line.tree, others, keep=False)

    def shape(self, tree: Expr) -> tuple[int, ...]:
        return self.exact.of(tree).shape

    def faults(self, line: Line) -> Iterator[Fault]:
        if line.name in self.inputs:
            return iter([unused(line.name)])
        alike = {n: [m for m in others if self._earlier(m, line)] for n, others in self.alike.items()}
        return faults(line.tree, Surroundings(self.sizes, self.shape, alike))

    def _earlier(self, name: str, line: Line) -> bool:
        places = {one.name: k for k, one in enumerate(self.lines)}
        return name in self.inputs or places.get(name, len(places)) < places.get(line.name, len(places))


@dataclass
class Given:
    """A gradient as it was handed in, beside the exact one."""

    name: str
    got: Array
    exact: Array
    allowed: Array
    focus: Array | None = None  # the entries that a formula is to explain, where only a block is wrong

    def inside(self) -> bool:
        """Is every entry within rounding of the exact one?"""
        import numpy as np

        if self.got.shape != self.exact.shape:
            return False
        return bool(np.all(np.abs(self.got - self.exact) <= self.allowed))

    @cached_property
    def difference(self) -> float:
        return self.left_by(self.exact)

    @cached_property
    def loose(self) -> bool:
        """Could a mistake hide within what rounding allows?"""
        return self.got.size >= ENOUGH and _root_mean(self.allowed) > LOOSE * _root_mean(self.exact)

    def left_by(self, value: Array) -> float:
        """How far the numbers are from a value, in units of what is allowed; infinite where the shapes differ."""
        import numpy as np

        off = self._off(value)
        if off is None:
            return float("inf")
        return float(np.sqrt(np.mean(off[np.isfinite(off)] ** 2))) if np.isfinite(off).any() else float("inf")

    def explained_by(self, value: Array | None) -> bool:
        """Are the numbers this value within rounding, wherever they are finite?"""
        import numpy as np

        if value is None:
            return False
        off = self._off(value)
        return off is not None and bool(np.all(off[np.isfinite(off)] <= 1.0)) and bool(np.isfinite(off).any())

    def _off(self, value: Array) -> Array | None:
        import numpy as np

        got = self.got
        if got.shape != value.shape:
            if squeezed(got) != squeezed(value):
                return None
            got = got.reshape(value.shape)
        if not np.isfinite(value).all():
            return None
        same = value.shape == self.allowed.shape
        scale = _root_mean(value) / (_root_mean(self.exact) or 1.0)
        allowed = self.allowed * max(1.0, scale) if same else _root_mean(self.allowed) * scale
        off = np.abs(got - value) / (allowed + 1e-300)
        return off if self.focus is None or self.focus.shape != off.shape else off[self.focus]


    def got_as(self, x: Array) -> Array | None:
        """What the exact value would be if `x` were made of it as it is made of the numbers handed in."""
        import numpy as np

        if squeezed(x) != squeezed(self.exact):
            return None
        inside = np.abs(x.reshape(self.exact.shape) - self.exact) <= 4.0 * self.allowed
        return self.got if bool(inside.all()) else None


def squeezed(x: Array) -> tuple[int, ...]:
    return tuple(n for n in x.shape if n != 1)


def _root_mean(x: Array) -> float:
    import numpy as np

    finite = x[np.isfinite(x)] if x.ndim else x
    return float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0


class Search:
    """Looks for the one mistake that gives the numbers of wrong gradients."""

    def __init__(self, backward: Backward, wrong: Sequence[Given], seconds: float) -> None:
        self.backward, self.wrong = backward, {g.name: g for g in wrong}
        self.end = time.monotonic() + seconds
        self.best: dict[str, Cause] = {}

    def run(self) -> list[Cause]:
        """The causes found: one for all where there is one, else one for each gradient that has one."""
        import numpy as np

        with np.errstate(all="ignore"):
            for line in self._lines():
                found = self._of_line(line)
                if found is not None:
                    return [found]
                if time.monotonic() > self.end:
                    break
        return self._together()

    def hidden(self) -> Cause | None:
        """The cause that leaves least of what looks like rounding, if so little that rounding cannot be it."""
        import numpy as np

        (given,) = self.wrong.values()
        best: Cause | None = None
        tries = max(MIN_TRIES, HIDDEN_WORK // self.backward.entries)
        with np.errstate(all="ignore"):
            for line in self._lines():
                for fault in self.backward.faults(line):
                    tries -= 1
                    if tries < 0 or time.monotonic() > self.end:
                        return best
                    left = self._left(given, line, fault)
                    if left <= (HIDDEN * given.difference if best is None else 0.9 * best.left):
                        best = Cause(line, fault, (given.name,), True, left)
        return best

    def _left(self, given: Given, line: Line, fault: Fault) -> float:
        try:
            values = self.backward.changed(line, fault.tree, [given.name])
        except ROUGH:
            return float("inf")
        value = values.get(given.name)
        same = value is not None and value.shape == given.exact.shape
        return given.left_by(value) if value is not None and same else float("inf")

    def _together(self) -> list[Cause]:
        out: list[Cause] = []
        for name in self.wrong:
            cause = self.best.get(name)
            cause = cause or self._multiple(self.wrong[name])
            if cause is not None and cause not in out:
                out.append(cause)
        return out

    def _multiple(self, given: Given) -> Cause | None:
        """The exact values times a number."""
        if given.got.shape != given.exact.shape or not bool((given.got * 0 == 0).all()):
            return None
        square = float((given.exact**2).sum())
        factor = float((given.got * given.exact).sum()) / square if square else 0.0
        if factor and given.explained_by(factor * given.exact):
            line = next(line for line in self.backward.lines if line.name == given.name)
            number = Number(Fraction(f"{factor:.4g}"))
            fault = Fault("scaled", Binary("*", number, line.tree), number)
            return Cause(line, fault, (given.name,), True, given.left_by(factor * given.exact))
        return None

    def _lines(self) -> Iterator[Line]:
        """Where to look: the gradients' own formulas, written out and as they stand, then the lines before them."""
        lines = self.backward.lines
        for line in lines:
            if line.name in self.wrong:
                written_out = self.backward.expanded(line.name)
                if written_out is not None:
                    yield Line(line.name, written_out)
                yield line
        yield from (line for line in reversed(lines) if not line.forward and line.name not in self.wrong)
        yield from (line for line in reversed(lines) if line.forward)
        yield from (Line(n, Name(n)) for n, x in self.backward.inputs.items() if x.ndim)

    def _of_line(self, line: Line) -> Cause | None:
        wanted = list(self.wrong)
        for fault in self.backward.faults(line):
            if time.monotonic() > self.end:
                return None
            try:
                values = self.backward.changed(line, fault.tree, wanted)
            except ROUGH:
                continue
            explained = tuple(n for n, v in values.items() if self.explains(n, v))
            if len(explained) == len(wanted):
                return Cause(line, fault, explained, True, max(self.wrong[n].left_by(values[n]) for n in explained))
            for name, value in values.items():
                self._remember(line, fault, name, value, explained)
        return None

    def explains(self, name: str, value: Array) -> bool:
        """Is this the value, within what rounding allows of it (which may be a little more than of the exact one)?"""
        given = self.wrong[name]
        left = given.left_by(value)
        if left <= WIDER and left <= CLEARLY * given.difference:
            return True
        return left <= NEARLY * given.difference and given.explained_by(value)

    def _remember(self, line: Line, fault: Fault, name: str, value: Array, explained: tuple[str, ...]) -> None:
        given = self.wrong[name]
        left = given.left_by(value)
        if left > NEARLY * given.difference:
            return
        known = self.best.get(name)
        complete = name in explained
        if known is not None and known.complete and (not complete or len(known.explains) >= len(explained)):
            return
        if known is not None and not known.complete and not complete and left > 0.7 * known.left:
            return
        self.best[name] = Cause(line, fault, explained if complete else (name,), complete, left)

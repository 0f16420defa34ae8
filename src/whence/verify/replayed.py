"""Is a derivation, exported as data, right for all sizes? Each claim is replayed in school algebra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whence.messages.errors import WhenceError
from whence.read.parser import parse_expression
from whence.read.substitute import substituted
from whence.read.syntax import Expr, Name
from whence.read.walk import names_in
from whence.verify.changes import MARK, NotWritten, change
from whence.verify.school import Entries, Place, Sum, indices_of, summed, times

FORMAT = 1


@dataclass(frozen=True)
class Replayed:
    """Whether a derivation is accepted; if not, the first claim that failed."""

    accepted: bool
    failed: str = ""

    def __bool__(self) -> bool:
        return self.accepted


def replayed(data: Mapping[str, Any]) -> Replayed:
    """Accept a derivation or reject it: every change, every step, that none is left out, and the answer.

    The gradients by the names in `known` are taken as given; each has a derivation of its own. `data` is what
    `Derivative.exported` gives, as it comes from JSON.
    """
    try:
        return _Replay(data).judged()
    except (NotWritten, WhenceError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        return Replayed(False, "not written out")


class _Replay:
    def __init__(self, data: Mapping[str, Any]) -> None:
        if data["format"] != FORMAT:
            raise ValueError
        self.data = data
        self.functions = tuple(data["functions"])
        own = {name: tuple(shape) for name, shape in data["shapes"].items()}
        self.known: dict[str, str] = dict(data["known"])  # the name of a gradient -> by what
        shapes = own | {g: own[of] for g, of in self.known.items()} | {MARK + n: s for n, s in own.items()}
        self.lines = {name: self.read(text) for name, text in data["lines"]}
        self.entries = Entries(shapes, frozenset(data["sizes"]), frozenset(data["symmetric"]))
        for name, body in self.lines.items():
            self.entries.name(name, body)

    def read(self, text: str) -> Expr:
        return parse_expression(text, dialect="canonical", functions=self.functions)

    # ------------------------------------------------------------ claims
    def judged(self) -> Replayed:
        results: dict[str, list[str]] = {}
        done: set[tuple[str, str]] = set()
        for stage in self.data["stages"]:
            line, through = stage["line"], stage["through"]
            failed = self.stage(stage, results)
            if failed:
                return Replayed(False, f"{line} through {through}: {failed}")
            results.setdefault(through, []).append(stage["result"])
            done.add((line, through))
        missing = self.missing({*results, self.data["target"]}, done)
        if missing:
            return Replayed(False, f"missing: {missing}")
        total = " + ".join(f"({text})" for text in results.get(self.data["target"], [])) or "0"
        answer = f"({self.data['answer']})/{self.data['scaled']}" if self.data["scaled"] else self.data["answer"]
        if not self.equal(self.read(total), self.read(answer), self.data["target"]):
            return Replayed(False, "answer")
        return Replayed(True)

    def stage(self, stage: Mapping[str, Any], results: Mapping[str, list[str]]) -> str:
        line, through = stage["line"], stage["through"]
        adjoint, stated, result = (self.read(stage[k]) for k in ("adjoint", "change", "result"))
        if not self.adjoint(line, adjoint, results):
            return "adjoint"
        true = change(self.lines[line], through)
        if true is None or not self.equal(true, stated, line):
            return "change"
        mark = Name(MARK + through)
        start = self.pairing(adjoint, stated, line)
        if self.form(start) != self.form(self.pairing(result, mark, through)):
            return "result"
        begun: Sum = ()
        for path in stage["paths"]:
            sides = [self.side(step) for step in path]
            begun += sides[0]
            forms = [self.form(side) for side in sides]
            if any(form != forms[0] for form in forms) or self.read(path[-1]["right"]) != mark:
                return "step"
        return "" if self.form(begun) == self.form(start) else "paths"

    def adjoint(self, line: str, adjoint: Expr, results: Mapping[str, list[str]]) -> bool:
        """A known gradient, 1 for the output itself, or what the stages before have given."""
        if line == self.data["output"]:
            return adjoint == self.read("1")
        if isinstance(adjoint, Name) and self.known.get(adjoint.id) == line:
            return True
        before = " + ".join(f"({text})" for text in results.get(line, [])) or "0"
        return self.equal(self.read(before), adjoint, line)

    def missing(self, reached: set[str], done: set[tuple[str, str]]) -> str:
        """A line that uses a name on the way, leads to the output, and has no stage."""
        leads = {self.data["output"]}
        for name, body in reversed(self.lines.items()):
            if name in leads:
                leads |= names_in(body)
        given = set(self.known.values())
        for line, body in self.lines.items():
            for name in sorted(names_in(body) & reached):
                if name in given and name != self.data["target"]:
                    continue
                if line in leads and (line, name) not in done and not self.still(body, name, line):
                    return f"{line} through {name}"
                if line in leads and (line, name) in done and line not in given and line != self.data["output"]:
                    reached.add(line)
        return ""

    def still(self, body: Expr, name: str, line: str) -> bool:
        """Does the line not change with the name?"""
        found = change(body, name)
        return found is None or self.equal(found, self.read("0"), line)

    # ------------------------------------------------------------ sums
    def equal(self, a: Expr, b: Expr, like: str) -> bool:
        """Are two formulas equal, entry by entry, as arrays of the shape of a name?"""
        place = self.entries.places(Name(like))
        free = indices_of(place)

        def form(tree: Expr) -> Sum:
            return self.entries.normal(self.entries.part(tree, place), free)

        return form(a) == form(b) or form(self.opened(a)) == form(self.opened(b))

    def opened(self, tree: Expr) -> Expr:
        """The formula with the names that lines give written out."""
        for name, body in reversed(self.lines.items()):
            tree = substituted(tree, {name: body})
        return tree

    def pairing(self, left: Expr, right: Expr, like: str) -> Sum:
        return self.paired(left, right, self.entries.places(Name(like)))

    def side(self, step: Mapping[str, Any]) -> Sum:
        rows, columns = (*step["over"], 1, 1)[:2] if not step["row"] else (1, step["over"][0])
        place = (self.entries.index(rows), self.entries.index(columns))
        return self.paired(self.read(step["left"]), self.read(step["right"]), place)

    def paired(self, left: Expr, right: Expr, place: Place) -> Sum:
        found = times(self.entries.part(left, place), self.entries.part(right, place))
        for index in place:
            found = summed(found, index)
        return found

    def form(self, found: Sum) -> Sum:
        return self.entries.normal(found, ())

"""A derivation line by line: each line against the truth, and given the lines before it.

The true adjoints go by names of their own, so that a person's dZ2 and the true one stand side by side. What the next
step should be is the true formula with the person's earlier values in the place of the true ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from whence.check.answer import Examination, judged
from whence.check.equality import EQUAL, NOT_EQUAL, are_equal
from whence.check.factor import Factor
from whence.check.reading import Written
from whence.check.reference import Reference
from whence.check.report import explained
from whence.check.verdict import (
    CIRCULAR,
    EQUIVALENT,
    NOT_JUDGED,
    SHAPE_ERROR,
    UNDECIDED,
    UP_TO_FACTOR,
    WRONG,
    LineVerdict,
    Verdict,
)
from whence.messages.mistakes import LINE_SENTENCES
from whence.read.substitute import substituted
from whence.read.syntax import Expr, Name
from whence.read.walk import names_in

_TRUE = "adjoint_of_"


@dataclass
class Lines:
    """What the lines so far have defined."""

    reference: Reference
    claims: Mapping[str, str]  # what each name claims to be the adjoint of
    defined: list[tuple[str, Expr]] = field(default_factory=list)  # the lines with a value, under names of their own
    current: dict[str, str] = field(default_factory=dict)  # the person's name -> that of its latest line
    adjoint_by: dict[str, str] = field(default_factory=dict)  # intermediate -> the latest line that claims its adjoint
    failed: set[str] = field(default_factory=set)
    exact: set[str] = field(default_factory=set)  # names whose values are the true adjoints
    bodies: dict[str, Expr] = field(default_factory=dict)  # the formulas of the person's own names
    behind: dict[str, frozenset[int]] = field(default_factory=dict)  # the lines that a defined name rests on

    def rests_on(self, tree: Expr) -> frozenset[int]:
        """The earlier lines that a formula uses."""
        used = (self.behind[self.current[n]] for n in names_in(tree) if n in self.current)
        return frozenset().union(*used)


def true_names(claims: Mapping[str, str], targets: Sequence[str]) -> dict[str, str]:
    """Names for the true adjoints of the intermediates that a derivation speaks of: name -> of.

    >>> true_names({"dZ2": "Z2", "dW2": "W2"}, ["Z1", "Z2"])
    {'adjoint_of_Z2': 'Z2'}
    """
    return {_TRUE + of: of for of in dict.fromkeys(claims.values()) if of in targets}


def judged_lines(
    reference: Reference,
    written: Sequence[Written],
    claims: Mapping[str, str],
    given: Mapping[str, str] | None = None,
) -> list[LineVerdict]:
    """The verdicts of the lines of a derivation, in order. `reference` names the true adjoints by `true_names`.

    `given` are names of true adjoints that the lines use and do not define: name -> of.
    """
    lines = Lines(reference, claims)
    for name, of in (given or {}).items():
        answer = reference.asking((of,)).expanded
        if answer is not None:
            lines.exact.add(_define(lines, name, answer.tree, of))
            lines.behind[name] = frozenset()
    later = {line.name for line in written} - {""}
    out = []
    for place, line in enumerate(written):
        rests_on = lines.rests_on(line.tree) if line.tree is not None else frozenset()
        found = _judged(lines, line, later)
        own = lines.current.get(line.name)
        if own is not None and own not in lines.behind:
            lines.behind[own] = frozenset((place,)) if found.of else rests_on
        out.append(replace(found, name=line.name, rests_on=tuple(sorted(rests_on))))
    return out


def _judged(lines: Lines, line: Written, later: set[str]) -> LineVerdict:
    text, name, tree, reference = line.text, line.name, line.tree, lines.reference
    if tree is None:
        lines.failed.add(name)
        return _unjudged(text, Verdict(UNDECIDED, detail=line.problem))
    used = names_in(tree)
    undefined = sorted(
        n for n in used & later if n not in lines.current and n not in reference.names and n not in lines.failed
    )
    if undefined:
        lines.failed.add(name)
        code = CIRCULAR if name in undefined else "later"
        detail = LINE_SENTENCES[code].format(name=undefined[0] if code == "later" else name)
        return _unjudged(text, Verdict(CIRCULAR, detail=detail))
    failed = sorted(n for n in used & lines.failed if n not in lines.current)
    if failed:
        lines.failed.add(name)
        return _unjudged(text, Verdict(NOT_JUDGED, detail=LINE_SENTENCES["failed"].format(name=failed[0])))
    unknown = [n for n in reference.unknown_names(tree) if n not in lines.current]
    if unknown:
        lines.failed.add(name)
        detail = LINE_SENTENCES["undefined"].format(name=unknown[0])
        return LineVerdict(text, Verdict(WRONG, diagnosis="undefined-name", detail=detail), WRONG)
    renamed = substituted(tree, {n: Name(own) for n, own in lines.current.items()})
    if name in reference.model.targets and name not in lines.claims:
        return _forward(lines, text, name, renamed)
    of = lines.claims.get(name) or (name[1:] if name[:1] == "d" and name[1:] in reference.engine.shapes else "")
    of = of or claimed(lines, name, renamed)
    if not of:
        lines.bodies[_define(lines, name, renamed, "")] = substituted(renamed, lines.bodies)
        return _unjudged(text, Verdict(NOT_JUDGED, detail=LINE_SENTENCES["own-name"].format(name=name)))
    return _compared(lines, text, name, of, renamed)


def _forward(lines: Lines, text: str, name: str, tree: Expr) -> LineVerdict:
    """A line of the forward pass, written out once more: it is compared with the model's."""
    found = _beside(lines.reference, tree, Name(name), tuple(lines.defined))
    if found.verdict in (EQUIVALENT, UNDECIDED):
        _define(lines, name, tree, "")
        return LineVerdict(text, Verdict(found.verdict, detail=LINE_SENTENCES["forward"]), found.verdict)
    detail = LINE_SENTENCES["other-forward"].format(name=name)
    verdict = SHAPE_ERROR if found.verdict == SHAPE_ERROR else WRONG
    if verdict == SHAPE_ERROR:
        lines.failed.add(name)
    else:
        _define(lines, name, tree, "")
    return LineVerdict(text, Verdict(verdict, detail=detail), verdict)


def concluded(lines: Sequence[LineVerdict], reference: Reference, convention: str) -> Verdict:
    """The verdict of a derivation, with those of its lines: that of its first line that is wrong of itself.

    A parameter's gradient is judged by its value alone. A helper line such as dZ2 may be the gradient of the
    un-averaged loss, unless the convention is exact: what is built on it shows whether 1/m was forgotten.
    """
    out: list[LineVerdict] = []
    course = False
    for line in lines:
        helper = line.of != "" and not reference.is_parameter(line.of)
        scaled = line.own.verdict == UP_TO_FACTOR and line.own.convention == "course" and helper
        right = line.own.verdict == EQUIVALENT or (scaled and convention != "exact")
        course |= scaled and right
        inherits = not right and line.follows and any(not out[k].right for k in line.rests_on)
        out.append(replace(line, right=right, inherits=inherits))
    faults = [line for line in out if not line.right and not line.inherits and line.own.verdict != NOT_JUDGED]
    if faults:
        first = faults[0]
        same = first.given in (EQUIVALENT, NOT_JUDGED) or (first.follows and first.given == UP_TO_FACTOR)
        verdict = first.own.verdict if same else first.given
    else:
        verdict = EQUIVALENT if any(line.right for line in out) else UNDECIDED
    return Verdict(verdict, convention="course" if course else "exact", lines=tuple(out))


def _unjudged(text: str, verdict: Verdict) -> LineVerdict:
    return LineVerdict(text, verdict, NOT_JUDGED if verdict.verdict != UNDECIDED else UNDECIDED)


def _define(lines: Lines, name: str, tree: Expr, of: str) -> str:
    taken = {n for n, _ in lines.defined} | lines.reference.names
    own = name
    while own in taken:
        own += "_again"
    lines.defined.append((own, tree))
    lines.current[name] = own
    lines.failed.discard(name)
    if of:
        lines.adjoint_by[of] = own
    return own


def _compared(lines: Lines, text: str, name: str, of: str, tree: Expr) -> LineVerdict:
    reference = lines.reference.asking((of,))
    extra = tuple(lines.defined)
    examination = Examination(reference, tree, extra)
    own = judged(examination)
    if own.verdict == SHAPE_ERROR:
        lines.failed.add(name)
        lines.current.pop(name, None)
        return LineVerdict(text, explained(examination, own), SHAPE_ERROR, of=of)
    given = _given(lines, reference, tree, extra, own)
    if own.verdict not in (EQUIVALENT, UNDECIDED):
        if own.convention == "exact" and (given.verdict == EQUIVALENT or of_course(reference, given.factor)):
            own = replace(own, detail=LINE_SENTENCES["inherited"])
        else:
            own = explained(given.examination if given.verdict == WRONG and given.examination else examination, own)
            whole = substituted(tree, lines.bodies)
            if not own.diagnosis and whole != tree:  # the mistake may be in a name of the person's own
                own = explained(Examination(reference, whole, extra), own)
    defined = _define(lines, name, tree, of)
    if own.verdict == EQUIVALENT:
        lines.exact.add(defined)
    follows = given.verdict == EQUIVALENT or of_course(reference, given.factor)
    return LineVerdict(text, own, given.verdict, given.factor, follows, of=of)


def of_course(reference: Reference, factor: Factor | None) -> bool:
    """Is a factor between two lines that of the course's convention: the number of samples, or one over it?"""
    if factor is None or not reference.samples or factor.number != 1:
        return False
    return factor.powers in (((reference.samples, 1),), ((reference.samples, -1),))


@dataclass(frozen=True)
class Given:
    """The verdict given the earlier lines, its factor, and the comparison that it comes from."""

    verdict: str
    factor: Factor | None = None
    examination: Examination | None = None


def _given(lines: Lines, reference: Reference, tree: Expr, extra: tuple[tuple[str, Expr], ...], own: Verdict) -> Given:
    """Right with all earlier values in the place of the true ones, or with those that the line uses."""
    if own.verdict == EQUIVALENT and set(lines.adjoint_by.values()) <= lines.exact:
        return Given(EQUIVALENT)
    used = names_in(tree)
    ways = [dict(lines.adjoint_by)]
    fewer = {of: n for of, n in lines.adjoint_by.items() if n in used}
    if fewer and fewer != ways[0]:
        ways.append(fewer)
    best = Given(UNDECIDED)
    for way in ways:
        step = next_step(reference, way)
        found = _beside(reference, tree, step, extra) if step is not None else Given(UNDECIDED)
        if found.verdict == EQUIVALENT:
            return found
        if best.verdict == UNDECIDED:
            best = found
    return best


def next_step(reference: Reference, values: Mapping[str, str]) -> Expr | None:
    """The true formula, with the person's names where there are some (intermediate -> name)."""
    answer = reference.answer
    if answer is None:
        return None
    formulas: dict[str, Expr] = {}
    for true, (of, formula) in answer.adjoints.items():
        formulas[true] = Name(values[of]) if of in values else substituted(formula, formulas)
    return substituted(answer.tree, formulas)


def _beside(reference: Reference, tree: Expr, step: Expr, extra: tuple[tuple[str, Expr], ...]) -> Given:
    examination = Examination(reference, tree, extra, truth=step)
    fits = examination.fits()
    if fits is None:
        return Given(UNDECIDED)
    if not fits:
        return Given(SHAPE_ERROR)
    claim = examination.claim
    assert claim is not None
    outcome = are_equal(replace(claim, expression=tree, answer=step, layout="matrix", structured=False)).outcome
    if outcome == EQUAL:
        return Given(EQUIVALENT)
    if outcome != NOT_EQUAL:
        return Given(UNDECIDED)
    factor = examination.factor()
    return Given(WRONG, None, examination) if factor is None else Given(UP_TO_FACTOR, factor)


def claimed(lines: Lines, name: str, tree: Expr) -> str:
    """The name whose gradient an assignment without a claim is: by its value, else by its name; empty for none.

    dw2, grad_W2, W2_grad and delta_Z1 are told by name.
    """
    reference = lines.reference
    for of in reference.engine.shapes:
        if of == name or not reference.engine.shapes[of]:
            continue
        examination = Examination(reference.asking((of,)), tree, tuple(lines.defined))
        factor = examination.factor()
        if factor is not None and (factor == Factor() or of_course(reference, factor)):
            return of
    words = name.lower().replace("grad", " ").replace("delta", " ").replace("_", " ").split()
    known = {n.lower(): n for n in reference.engine.shapes}
    found = [known[w] for w in words if w in known] or [known[w[1:]] for w in words if w[:1] == "d" and w[1:] in known]
    return found[0] if len(found) == 1 and (len(words) > 1 or found[0].lower() != name.lower()) else ""

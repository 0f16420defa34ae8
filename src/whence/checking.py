"""Is mine right? The way from a person's text through the rooms to a verdict; every door uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from whence.check.answer import Examination, read_answer
from whence.check.derivation import judged_lines, overall, true_names
from whence.check.equality import are_equal
from whence.check.reading import Written, read_as_typed, read_canonical, read_formula, split_line
from whence.check.reference import Reference
from whence.check.report import examined, unknown_function, unknown_name
from whence.check.verdict import EQUIVALENT, Equality, Verdict
from whence.engine import Engine
from whence.messages.errors import ReadError, RuleError
from whence.messages.mistakes import COURSE_MEANING, DIFFERENT_SHAPES
from whence.read.canonical import to_text
from whence.read.model import read_model
from whence.read.problem import Problem, problem_from_json
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Expr, Model, Name
from whence.shapes.words import claim_shape, is_scalar, words
from whence.verify.claim import Claim

if TYPE_CHECKING:
    from whence.net import Net


def make_engine(model: Model, adjoints: Mapping[str, str], asked: tuple[Expr, ...]) -> Engine:
    return Engine(model, adjoints, asked=asked)


def reference_of(problem: Problem) -> Reference:
    """What answers to a problem are compared with."""
    return Reference(problem, make_engine)


def check_item(item: Any) -> Verdict:
    """The verdict of one line of a batch: a problem's fields, and `answer` or `lines` (with `names`).

    Raises WhenceError for a problem or an answer that cannot be read.
    """
    if not isinstance(item, dict):
        raise ReadError("bad-problem", line=1, column=1, found="whole line", expected="one JSON object")
    if "lines" in item:
        return check_lines(item)
    answer = item.get("answer")
    if not isinstance(answer, str):
        raise ReadError("bad-problem", line=1, column=1, found="answer", expected="a text")
    return check_answer(_known_reference(item), answer)


def check_answer(reference: Reference, text: str) -> Verdict:
    """The verdict of one formula, `dZ1 = ...` or the right side alone."""
    _, body = split_line(text)
    try:
        tree = read_answer(reference, body)
    except ReadError as error:
        verdict = unknown_function(reference, error)
        if verdict is None:
            raise
        return verdict
    unknown = reference.unknown_names(tree)
    if unknown:
        return unknown_name(reference, unknown[0], tree)
    return examined(Examination(reference, tree))


def check_lines(item: Mapping[str, Any]) -> Verdict:
    """The verdicts of a derivation's lines. `names` says which adjoint each left side stands for."""
    claims, texts = item.get("names", {}), item["lines"]
    if not isinstance(claims, dict) or any(not isinstance(v, str) for v in claims.values()):
        raise ReadError("bad-problem", line=1, column=1, found="names", expected="an object of names")
    if not isinstance(texts, list) or any(not isinstance(t, str) for t in texts):
        raise ReadError("bad-problem", line=1, column=1, found="lines", expected="a list of texts")
    variables = item.get("variables")
    first = [*claims.values(), *(variables if isinstance(variables, dict) else ())][:1]
    problem = problem_from_json({**item, "wrt": item.get("wrt") or first, "adjoints": {}})
    claims = {n: of for n, of in claims.items() if of in problem.model.shapes or of in problem.model.targets}
    problem = replace(problem, adjoints=true_names(claims, problem.model.targets))
    reference = reference_of(problem)
    written = read_canonical(texts, problem.model.functions, sorted(reference.names | claims.keys()))
    lines = tuple(judged_lines(reference, written, claims))
    return Verdict(overall(lines), lines=lines)


# -- over a model as it was read


def check_text(net: Net, text: str, convention: str = "auto", dialect: str | None = None) -> Verdict:
    """The verdict of `dZ1 = formula`, or of a derivation of several lines, over a model; in whatever notation.

    Raises ReadError for what cannot be read, UnknownError for a gradient the model does not have.
    """
    shapes = dict(net.engine.shapes)
    shapes |= {"d" + of: shape for of, shape in net.engine.shapes.items() if "d" + of not in shapes}
    written = read_as_typed(text, tuple(net.model.functions), shapes, dialect)
    if len(written) > 1:
        return _check_derivation(net, written)
    line = written[0]
    if not line.name:
        raise ReadError("bad-target", line=1, column=1, found=text[:40])
    if line.tree is None:
        raise ReadError("bad-problem", line=1, column=1, found=line.problem, expected="a formula")
    return _check_one(net, net.named(line.name), line.tree, convention)


def _check_one(net: Net, name: str, tree: Expr, convention: str) -> Verdict:
    adjoints = {"d" + of: of for of in net.engine.shapes if of != name and "d" + of not in net.engine.shapes}
    reference = reference_of(Problem("", net.model, Name(net.cost), (name,), adjoints))
    unknown = reference.unknown_names(tree)
    if unknown:
        return unknown_name(reference, unknown[0], tree)
    if convention != "course":
        verdict = examined(Examination(reference, tree))
        if verdict.verdict == EQUIVALENT or convention == "exact" or net.samples is None:
            return verdict
        course = _in_course(net, reference, name, tree)
        return course if course.verdict == EQUIVALENT else verdict
    if net.samples is None:
        raise RuleError("no-average", found=net.cost)
    return _in_course(net, reference, name, tree)


def _in_course(net: Net, reference: Reference, name: str, tree: Expr) -> Verdict:
    """The verdict where every d… that is no parameter's stands for the gradient of the un-averaged loss."""
    samples = Name(str(net.samples))
    scaled = {
        a: Binary("*", samples, Name(a)) for a, of in reference.problem.adjoints.items() if not net.is_parameter(of)
    }
    exact = substituted(tree, scaled)
    if not net.is_parameter(name):
        exact = Binary("/", exact, samples)
    verdict = examined(Examination(reference, exact))
    if verdict.verdict == EQUIVALENT:
        detail = COURSE_MEANING.format(size=net.samples)
        return replace(verdict, convention="course", detail=detail, read_as=to_text(tree))
    return replace(verdict, convention="course")


def _check_derivation(net: Net, written: list[Written]) -> Verdict:
    claims = {w.name: w.name[1:] for w in written if w.name[:1] == "d" and w.name[1:] in net.engine.shapes}
    first = next(iter(claims.values()), net.cost)
    problem = Problem("", net.model, Name(net.cost), (first,), true_names(claims, net.model.targets))
    lines = judged_lines(reference_of(problem), written, claims)
    return Verdict(overall(lines), lines=tuple(lines))


def equal_formulas(one: str, other: str, shapes: object = None, assume: object = None) -> Equality:
    """Whether two formulas are equal for all inputs of these shapes. Raises ReadError and ShapeError."""
    model = read_model(one, shapes, assume, None, "canonical")  # type: ignore[arg-type]  # the reader says what of it it cannot take
    net = make_engine(model, {}, ())
    names = [*net.shapes, *net.table.dims]
    first = model.statements[-1].expression
    second = read_formula(other, functions=model.functions, names=names)
    claim = Claim(
        variables={n: claim_shape(s) for n, s in net.inputs.items()},
        assume=dict(model.assumptions),
        functions=tuple(model.functions),
        definitions=tuple((s.target, s.expression) for s in model.statements[:-1]),
        expression=first,
        wrt=(),
        answer=second,
        defined=model.defined,
    )
    shape, wanted = (net.table.shape_of(t) for t in (second, first))
    if claim_shape(shape) != claim_shape(wanted) and not (is_scalar(shape) and is_scalar(wanted)):
        return Equality("not equal", DIFFERENT_SHAPES.format(one=words(wanted), other=words(shape)))
    return are_equal(claim)


_KEPT = 64  # problems whose derivative is kept, since many answers are to the same one


def _known_reference(item: Mapping[str, Any]) -> Reference:
    """The reference of a problem; that of the last problems is kept."""
    key = json.dumps({k: v for k, v in item.items() if k not in _OWN_FIELDS}, sort_keys=True)
    found = _REFERENCES.pop(key, None) or reference_of(problem_from_json(item))
    _REFERENCES[key] = found
    while len(_REFERENCES) > _KEPT:
        del _REFERENCES[next(iter(_REFERENCES))]
    return found


_OWN_FIELDS = frozenset(("id", "answer", "topic"))
_REFERENCES: dict[str, Reference] = {}

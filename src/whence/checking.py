"""Is mine right? The way from a person's text through the rooms to a verdict; every door uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from whence.check.answer import Examination, judged
from whence.check.derivation import Lines, claimed, concluded, judged_lines, true_names
from whence.check.equality import are_equal
from whence.check.reading import Known, Written, as_typed, as_typed_each, in_batch, one_in_batch
from whence.check.reference import Reference
from whence.check.report import examined, explained, unknown_function, unknown_name
from whence.check.trees import transposed
from whence.check.verdict import EQUIVALENT, Equality, Verdict
from whence.engine import Engine
from whence.messages.errors import ReadError, RuleError, UnknownError
from whence.messages.mistakes import COURSE_MEANING, DIFFERENT_SHAPES
from whence.read.canonical import to_text
from whence.read.model import read_model
from whence.read.parser import parse_expression, parse_printed
from whence.read.problem import Problem, problem_from_json
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Expr, Model, Name, Negative
from whence.read.walk import names_in
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
    try:
        tree, notes = one_in_batch(text, reference.known)
    except ReadError as error:
        verdict = unknown_function(reference, error)
        if verdict is None:
            raise
        return verdict
    unknown = reference.unknown_names(tree)
    verdict = unknown_name(reference, unknown[0], tree) if unknown else examined(Examination(reference, tree))
    return replace(verdict, notes=notes)


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
    shapes = {**reference.shapes, **{name: reference.engine.shapes[of] for name, of in claims.items()}}
    script = in_batch(texts, replace(reference.known, shapes=shapes))
    verdict = concluded(judged_lines(reference, script.lines, claims), reference, "auto")
    return replace(verdict, notes=script.notes)


# -- over a model as it was read


def check_text(
    net: Net,
    text: str,
    convention: str = "auto",
    layout: str = "gradient",
    dialect: str | None = None,
    *,
    each: bool = False,
) -> Verdict:
    """The verdict of `dZ1 = formula`, or of a derivation of several lines, over a model; in whatever notation.

    With `each` even one line is a derivation, and one that cannot be read does not stop the others. Raises ReadError
    for what cannot be read, UnknownError for a gradient the model does not have.
    """
    if convention == "course" and net.samples is None:
        raise RuleError("no-average", found=net.cost)
    known = _known_to(net, text)
    script = (as_typed_each if each else as_typed)(text, known, dialect)
    if len(script.lines) == 1 and script.lines[0].tree is not None and not each:
        line = script.lines[0]
        if not line.name:
            raise ReadError("no-target", line=1, column=1, found=text.strip()[:40], source=text)
        verdict = _check_one(net, _target(net, line), script.lines[0].tree, convention, layout)
    else:
        verdict = _check_derivation(net, script.lines, convention)
    return replace(verdict, notes=script.notes)


def _known_to(net: Net, text: str) -> Known:
    """What the reader of an answer knows. Where dL/dz is written, dz is no name of its own."""
    shapes = dict(net.engine.shapes)
    if re.search(rf"\bd ?{re.escape(net.cost)} ?/ ?d", text):
        return Known(shapes, (*net.model.functions, *net.model.defined), net.shapes.dims)
    shapes |= {"d" + of: shape for of, shape in net.engine.shapes.items() if "d" + of not in shapes and of != net.cost}
    return Known(shapes, (*net.model.functions, *net.model.defined), net.shapes.dims)


_OF_NETS: WeakKeyDictionary[Net, dict[tuple[str, ...], Reference]] = WeakKeyDictionary()


def _asking(net: Net, name: str, adjoints: dict[str, str]) -> Reference:
    """The reference of a model's gradient, kept with the model, since many answers are to the same one."""
    kept = _OF_NETS.setdefault(net, {})
    key = (name, *adjoints)
    if key not in kept:
        kept[key] = reference_of(Problem("", net.model, Name(net.cost), (name,), adjoints))
    return kept[key]


def _adjoints_but(net: Net, name: str) -> dict[str, str]:
    return {"d" + of: of for of in net.engine.shapes if of != name and "d" + of not in net.engine.shapes}


def _target(net: Net, line: Written) -> str:
    """The name whose gradient a line is: by its left side, else by its value. Raises UnknownError."""
    try:
        return net.named(line.name)
    except UnknownError:
        first = net.model.targets[0]
        reference = _asking(net, first, _adjoints_but(net, ""))
        of = claimed(Lines(reference, {}), line.name, line.tree) if line.tree is not None else ""
        if not of:
            raise
        return of


def _check_one(net: Net, name: str, tree: Expr, convention: str, layout: str) -> Verdict:
    reference = _asking(net, name, _adjoints_but(net, name))
    unknown = reference.unknown_names(tree)
    if unknown:
        return unknown_name(reference, unknown[0], tree)
    if layout == "numerator":
        turned = _in_convention(net, reference, name, transposed(tree), convention)
        return replace(turned, repair=_turned(turned.repair), read_as=to_text(tree))
    return _in_convention(net, reference, name, tree, convention)


def _turned(text: str) -> str:
    return to_text(transposed(parse_printed(text))) if text else ""


def _in_convention(net: Net, reference: Reference, name: str, tree: Expr, convention: str) -> Verdict:
    """The verdict in a convention; of either the one in which it is right, or in which it is nearer."""
    exact = Examination(reference, tree)
    course = Examination(reference, _as_exact(net, reference, name, tree)) if net.samples is not None else exact
    if convention == "course":
        return _of_course(net, name, tree, examined(course))
    verdict = judged(exact)
    if verdict.verdict == EQUIVALENT or convention == "exact" or course.tree == tree:
        return explained(exact, verdict)
    other = judged(course)
    plain = other.factor is not None and other.factor.is_number
    if other.verdict == EQUIVALENT or (plain and verdict.factor is not None and not verdict.factor.is_number):
        return _of_course(net, name, tree, explained(course, other))
    told = explained(exact, verdict)
    if _distance(net, tree, told) == (0, 0):
        return told
    nearer = _of_course(net, name, tree, explained(course, other))
    return nearer if _distance(net, tree, nearer) < _distance(net, tree, told) else told


def _distance(net: Net, tree: Expr, verdict: Verdict) -> tuple[int, int]:
    """How many mistakes there are besides one, and whether the repair moves an average."""
    if not verdict.diagnosis:
        return _FAR, 0
    size = str(net.samples)
    moved = verdict.repair != "" and verdict.repair.split().count(size) != to_text(tree).split().count(size)
    return len(verdict.also), int(moved)


def _as_exact(net: Net, reference: Reference, name: str, tree: Expr) -> Expr:
    """A formula of the course's convention, where every d… that is no parameter's stands for the gradient of the
    un-averaged loss, as a formula of the averaged cost."""
    samples = Name(str(net.samples))
    scaled = {
        a: Binary("*", samples, Name(a)) for a, of in reference.problem.adjoints.items() if not net.is_parameter(of)
    }
    exact = substituted(tree, scaled)
    if not net.is_parameter(name):
        exact = Binary("/", exact, samples)
    return exact


def _of_course(net: Net, name: str, tree: Expr, verdict: Verdict) -> Verdict:
    """The verdict in the person's own terms: dZ is m times the derivative, which m * dZ stood for."""
    samples, helper = str(net.samples), not net.is_parameter(name)
    own, scaled = to_text(tree), to_text(Binary("/", tree, Name(samples)))

    def said(text: str) -> str:
        for of in net.engine.shapes:
            text = text.replace(f"({samples} * d{of})", f"d{of}").replace(f"{samples} * d{of}", f"d{of}")
        return text.replace(scaled, own) if helper else text

    detail = COURSE_MEANING.format(size=samples) if verdict.verdict == EQUIVALENT else said(verdict.detail)
    repair = verdict.repair
    if repair:
        repaired = parse_printed(said(repair) if not helper else repair, functions=net.model.functions)
        repair = said(to_text(_times(repaired, samples) if helper else repaired))
    return replace(verdict, convention="course", detail=detail, repair=repair, read_as=own)


def _times(tree: Expr, size: str) -> Expr:
    """A formula times a size, by which it may be divided."""
    if isinstance(tree, Negative):
        return Negative(_times(tree.operand, size))
    if isinstance(tree, Binary) and tree.operator == "/" and tree.right == Name(size):
        return tree.left
    if isinstance(tree, Binary) and tree.operator in ("*", "@", "/"):
        left = _times(tree.left, size)
        if not (isinstance(left, Binary) and left.left == Name(size)):
            return replace(tree, left=left)
    return Binary("*", Name(size), tree)


def _check_derivation(net: Net, written: Sequence[Written], convention: str) -> Verdict:
    claims = {w.name: w.name[1:] for w in written if w.name[:1] == "d" and w.name[1:] in net.engine.shapes}
    first = next(iter(claims.values()), net.cost)
    used = {n for w in written if w.tree is not None for n in names_in(w.tree)} - {w.name for w in written}
    others = {"d" + of: of for of in net.engine.shapes if "d" + of in used and "d" + of not in net.engine.shapes}
    reference = _asking(net, first, true_names(claims, net.model.targets))
    return concluded(judged_lines(reference, written, claims, others), reference, convention)


def equal_formulas(one: str, other: str, shapes: object = None, assume: object = None) -> Equality:
    """Whether two formulas are equal for all inputs of these shapes. Raises ReadError and ShapeError."""
    model = read_model(one, shapes, assume, None, "canonical")  # type: ignore[arg-type]  # the reader says what of it it cannot take
    net = make_engine(model, {}, ())
    names = [*net.shapes, *net.table.dims]
    first = model.statements[-1].expression
    second = parse_expression(other, functions=model.functions, names=names, dialect="canonical")
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


_FAR = 9
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

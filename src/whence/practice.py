"""Worksheets on a model: the exercise of one gradient, its judge of matrix formulas, its saved state, the ladder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from whence.messages.errors import ReadError, ShapeError, WhenceError
from whence.messages.practice import PRACTICE
from whence.notation.linear import NotLinear
from whence.notation.scalars import NotScalars
from whence.read.parser import parse_expression
from whence.read.reading import read_typed
from whence.read.syntax import Binary, Expr, Name
from whence.read.walk import names_in, walk
from whence.shapes.words import is_scalar
from whence.steps.entries import of_numbers
from whence.steps.numbers import number_text
from whence.steps.style import FullShape
from whence.steps.toy import ToyExample
from whence.steps.worksheet import State, Worksheet
from whence.verify.claim import Claim
from whence.verify.judge import check
from whence.verify.point import NoPoint, Point, Setting, close

if TYPE_CHECKING:
    from whence.net import Derivative, Net

VERSION = 1
LADDER = ("3 + 2*x", "q11*r12 + q12*r22", "a + 2*b", "18*x")  # what the four exercises come to


@dataclass
class Saved:
    """A worksheet as it is kept in one small file."""

    model: str
    target: str
    shapes: str | None = None
    assume: str | None = None
    state: State = field(default_factory=State)

    def to_json(self) -> str:
        """The file's text."""
        own = asdict(self)
        return json.dumps({"whence": VERSION, **own}, ensure_ascii=False, indent=1) + "\n"


def saved_from_text(text: str, name: str) -> Saved:
    """The worksheet that a file holds. Raises ReadError `bad-state` for anything else."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise ReadError("bad-state", found=name, expected="it is not JSON") from None
    if not isinstance(found, dict) or found.get("whence") != VERSION:
        raise ReadError("bad-state", found=name, expected=f'"whence": {VERSION} is missing')
    state = found.get("state")
    texts = [found.get("model"), found.get("target"), found.get("shapes") or "", found.get("assume") or ""]
    if not isinstance(state, dict) or not all(isinstance(t, str) for t in texts):
        raise ReadError("bad-state", found=name, expected="the model, the target and the state are needed")
    lines, hints, ladder = state.get("lines"), state.get("hints"), state.get("ladder") or 0
    if not isinstance(lines, list) or not all(isinstance(t, str) for t in lines):
        raise ReadError("bad-state", found=name, expected="the lines are a list of texts")
    if not isinstance(hints, dict) or not all(isinstance(n, int) for n in (*hints.values(), ladder)):
        raise ReadError("bad-state", found=name, expected="hints and ladder are counts")
    return Saved(
        found["model"], found["target"], found.get("shapes"), found.get("assume"), State(lines[:200], hints, ladder)
    )


def worksheet(net: Net, target: str, state: State | None = None) -> Worksheet:
    """The worksheet of one gradient. Raises RuleError `no-worksheet` where there is none.

    >>> from whence import model
    >>> sheet = worksheet(model("z = W x; J = norm(z)^2", shapes="W: n x m, x: m"), "dW")
    >>> sheet.judge("dw_11 = dz_1 x_1").said
    'right'
    """
    from whence.messages.errors import RuleError

    d = net.gradient(target)
    if d.notes or not d.derivation.complete:
        raise RuleError("no-worksheet", found=d.name, expected=PRACTICE["no-steps"])
    try:
        ToyExample(d.lesson, d.lesson.small(one_sample=True))
        return Worksheet(d.lesson, state or State(), lambda text: _judged(d, text))
    except (NoPoint, NotScalars, NotLinear) as problem:
        raise RuleError("no-worksheet", found=d.name, expected=str(problem) or PRACTICE["no-steps"]) from None


# ---------------------------------------------------------------- a matrix formula as typed


def typed_formula(net: Net, text: str) -> Expr:
    """A formula over the names of a model and of its gradients, in any notation that is read.

    Raises ReadError for what cannot be read, and for more than one line.

    >>> from whence import model
    >>> net = model("z = W x; J = norm(z)^2", shapes="W: n x m, x: m")
    >>> net.text(typed_formula(net, "np.outer(dz, x)"))
    'dz xᵀ'
    """
    shapes = {name: [str(size) for size in shape] for name, shape in net.engine.shapes.items()}
    given = {"variables": shapes | {f"d{n}": s for n, s in shapes.items()}, "functions": net.model.functions}
    line, *others = read_typed(text, given).lines
    if others:
        raise ReadError("two-formulas", found=str(len(others) + 1))
    return line.expression


def _judged(d: Derivative, text: str) -> tuple[bool, str, str]:
    """Is a typed formula the gradient, for all sizes? What is to be said, and how it was read."""
    try:
        tree = typed_formula(d.net, text)
    except ShapeError as problem:
        return False, problem.message, ""
    except WhenceError as problem:
        return False, PRACTICE["matrix-unreadable"].format(reason=problem.message), ""
    try:
        shape = d.net.shape_of(tree)
        shown = d.net.text(tree)
    except ShapeError as problem:
        return False, problem.message, ""
    except WhenceError as problem:
        return False, PRACTICE["matrix-unreadable"].format(reason=problem.message), ""
    return *_judged_tree(d, tree, shape, text), shown


def _judged_tree(d: Derivative, tree: Expr, shape: FullShape, text: str) -> tuple[bool, str]:
    if "d" + d.wrt[0] in names_in(tree):
        return False, PRACTICE["circular"]
    apart = _side_by_side(d.net, tree, text)
    if apart is not None:
        return False, apart
    if shape != d.shape:
        reason = PRACTICE["matrix-other-shape"].format(found=_text(shape), expected=_text(d.shape))
        return False, PRACTICE["matrix-shape"].format(reason=reason)
    try:
        found = check(_claim(d, tree))
    except WhenceError as problem:
        return False, PRACTICE["matrix-unreadable"].format(reason=problem.message)
    if found.ok:
        return True, PRACTICE["matrix-right"].format(checked=PRACTICE["matrix-checked"])
    return False, _first_wrong(d, tree)


def _side_by_side(net: Net, tree: Expr, text: str) -> str | None:
    """What is said of two matrices without a sign between them that the reader could only take entry by entry."""
    for node in walk(tree):
        if not isinstance(node, Binary) or node.operator != "*":
            continue
        shapes = [net.shape_of(side) for side in (node.left, node.right)]
        between = text[node.left.span.end - 1 : node.right.span.column - 1] if node.left.span.end else "*"
        if any(map(is_scalar, shapes)) or between.strip(" ()[]{}"):
            continue
        return PRACTICE["matrix-side-by-side"].format(
            left=net.text(node.left),
            right=net.text(node.right),
            left_shape=_text(shapes[0]),
            right_shape=_text(shapes[1]),
        )
    return None


def _text(shape: Any) -> str:
    from whence.notation.words import shape_in_words

    return shape_in_words(shape)


def _claim(d: Derivative, tree: Expr) -> Claim:
    """That the formula is the derivative; the gradients it uses are those that whence derived."""
    net = d.net
    adjoints: dict[str, tuple[str, Expr]] = {}
    for name in sorted(names_in(tree)):
        if name.startswith("d") and name[1:] in net.engine.shapes and name not in net.engine.shapes:
            other = net.gradient(name[1:], d.of, convention=d.convention)
            adjoints |= other.answer.adjoints
            adjoints[name] = (name[1:], other.answer.tree)
    setting = net.setting
    return Claim(
        variables=dict(setting.inputs),
        assume=dict(setting.assume),
        functions=setting.functions,
        definitions=setting.definitions,
        expression=Name(d.of),
        wrt=d.wrt,
        answer=tree,
        adjoints=adjoints,
        defined=setting.defined,
    )


def _first_wrong(d: Derivative, tree: Expr) -> str:
    """The first entry of a wrong formula in the small example; or that only other sizes tell."""
    example = ToyExample(d.lesson, d.lesson.small(one_sample=True))
    toy, lesson = example.numbers, d.lesson
    try:
        for name, (of, formula) in _claim(d, tree).adjoints.items():
            if name not in toy.point.compiler.program.names:
                shape: tuple[int, ...] = tuple(size.value(toy.sizes) for size in lesson.shapes[of])
                toy.point.let(name, shape, toy.value(formula).entries)
        mine, true = toy.value(tree), toy.value(lesson.answer)
    except NoPoint as problem:
        return PRACTICE["matrix-shape"].format(reason=problem)
    for k, place in enumerate(example.places):
        got, wanted = (v.entries[min(k, len(v.entries) - 1)] for v in (mine, true))
        if not close([got], [wanted]):
            entry = "d" + lesson.entry(lesson.target, place, toy.sizes)
            return PRACTICE["matrix-wrong"].format(entry=entry, got=number_text(got), true=number_text(wanted))
    return PRACTICE["matrix-toy-only"]


# ---------------------------------------------------------------- the ladder


def ladder_task(step: int) -> str:
    """The exercise of one step, counted from 0; empty when the ladder is done."""
    if step >= len(LADDER):
        return ""
    title = PRACTICE["ladder-title"].format(step=step + 1, count=len(LADDER), topic=PRACTICE[f"ladder-{step + 1}"])
    return f"{title}\n  {PRACTICE[f'ladder-{step + 1}-task']}"


def ladder_judge(step: int, line: str) -> tuple[bool, str]:
    """Is the answer to a step right? And what is said."""
    text = line.rpartition("=")[2].replace("_", "").strip()
    expected = parse_expression(LADDER[step], dialect="canonical")
    names = sorted(names_in(expected))
    wrong = PRACTICE["ladder-wrong"].format(rule=PRACTICE[f"ladder-{step + 1}-rule"])
    try:
        tree = of_numbers(parse_expression(text, dialect="lecture", names=names))
        point = Point(Setting(dict.fromkeys(names, ()), ()), {}, Random(5))
        right = close(point.value(tree).entries, point.value(expected).entries)
    except (WhenceError, NoPoint):
        return False, wrong
    return right, PRACTICE["ladder-right"] if right else wrong

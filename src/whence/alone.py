"""A backward formula without its forward lines: what it presupposes, whether it is right, where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from whence.messages.alone import TEXTS
from whence.messages.errors import ReadError, ShapeError, WhenceError
from whence.net import Convention, Derivative, Net
from whence.notation.unicode import display_name
from whence.read.canonical import to_text
from whence.read.layer_names import AFTER, BEFORE, LayerName, layer_name
from whence.read.model import read_model
from whence.read.presupposed import (
    GIVEN,
    SHORTCUT,
    Forward,
    is_backward,
    is_batch,
    presupposed,
    slope_alone,
    with_gradient_names,
)
from whence.read.reading import Reading, read_typed
from whence.read.substitute import substituted
from whence.read.syntax import Expr, Name
from whence.read.walk import names_in

if TYPE_CHECKING:
    from whence.check.verdict import Verdict

_OTHERS = 3  # so many further forward passes are listed


@dataclass(frozen=True)
class Candidate:
    """One forward pass that a formula can belong to, with the gradient that follows from it."""

    forward: Forward
    net: Net
    verdict: Verdict  # of the formula as typed

    @cached_property
    def derivative(self) -> Derivative:
        return self.net.gradient(self.forward.target, convention=self.convention)

    @property
    def convention(self) -> Convention:
        """The course's, where the formula is right in it and in no other."""
        return "course" if self.verdict.right and self.verdict.convention == "course" else "exact"

    def lines(self) -> list[str]:
        """The forward lines in textbook notation, without a cost that only stands for others."""
        statements = self.net.model.statements if self.forward.kind == SHORTCUT else self.net.model.statements[:-1]
        return [f"{display_name(s.target)} = {self.net.text(s.expression)}" for s in statements]

    def text(self) -> str:
        """The forward lines as they can be typed again."""
        return "; ".join([*self.forward.lines, self.forward.cost])


@dataclass(frozen=True)
class Alone:
    """A backward formula as it was read, and the forward passes that it can belong to, the likeliest first."""

    reading: Reading
    typed: Expr
    batch: bool
    candidates: tuple[Candidate, ...]
    factor: tuple[str, str] | None = None  # where it is only the derivative of an activation: which, and of what

    @property
    def best(self) -> Candidate:
        return self.candidates[0]


def is_alone(text: str, dialect: str | None = None) -> bool:
    """Is a text one backward formula, and no model?

    >>> is_alone("dZ^[1] = W^[2]T dZ^[2] * g'(Z^[1])"), is_alone("J = norm(W x - y)^2")
    (True, False)
    """
    try:
        reading = read_typed(text, dialect=dialect)
    except WhenceError:
        return False
    line = reading.lines[0]
    return len(reading.lines) == 1 and line.left is None and is_backward(line.target, line.expression)


def formula_alone(text: str, dialect: str | None = None) -> Alone:
    """What a backward formula alone presupposes, each forward pass derived and the formula judged by it.

    Raises ReadError for what cannot be read, and `no-forward-pass` where the formula belongs to none that is known.

    >>> found = formula_alone("dZ^[1] = W^[2]T dZ^[2] * g'(Z^[1])")
    >>> found.best.lines()
    ['Z1 = W1 X + b1', 'A1 = g(Z1)', 'Z2 = W2 A1 + b2']
    >>> found.best.verdict.verdict
    'equivalent'
    """
    reading = read_typed(text, dialect=dialect)
    line = reading.lines[0]
    typed = with_gradient_names(line.expression, line.target)
    candidates = list(_candidates(presupposed(line.target, line.expression), typed))
    if not candidates:
        raise ReadError(
            "no-forward-pass",
            line=1,
            column=line.place.column,
            end=line.place.end,
            found=text.strip()[:60],
            source=text,
        )
    factor = slope_alone(line.target, line.expression)
    return Alone(reading, typed, is_batch(line.target, line.expression), tuple(candidates), factor)


def _candidates(forwards: list[Forward], typed: Expr) -> Iterator[Candidate]:
    """The forward passes by which the formula can be judged; one that has not all its names, or no shapes, is none."""
    for forward in forwards:
        try:
            net = _net(forward)
            if names_in(typed) <= _names(net):
                verdict = net.check(f"d{forward.target} = {to_text(typed)}", dialect="canonical")
                yield Candidate(forward, net, verdict)
        except WhenceError:
            continue


def _names(net: Net) -> set[str]:
    """All names that a formula over a model can use: values, sizes, gradients."""
    values = set(net.engine.shapes)
    return values | set(net.shapes.dims) | {f"d{name}" for name in values}


def _net(forward: Forward) -> Net:
    text = "\n".join([*forward.lines, forward.cost])
    return Net(read_model(text, ", ".join(forward.shapes) or None, forward.assume or None, dialect="canonical"))


# -- the page


def page(alone: Alone, view: Any = None, write: str | None = None) -> str:
    """The whole answer: what is presupposed, the verdict, the derivation, and what else could be meant."""
    best = alone.best
    blocks = [_presupposed(alone), _judged(alone), best.derivative.explain(view=view, write=write).rstrip("\n")]
    blocks += [_both(alone), _general(alone), _others(alone)]
    return "\n\n".join(block for block in blocks if block)


def _presupposed(alone: Alone) -> str:
    best, forward = alone.best, alone.best.forward
    target = display_name(forward.target)
    lines = [TEXTS["read-as"].format(target=target, formula=_typeset(best.net, alone.typed)), ""]
    lines = lines if alone.factor is None else []
    lines += [TEXTS["presupposes"], *(f"  {line}" for line in best.lines())]
    if forward.kind != SHORTCUT:
        cost = best.net.model.statements[-1]
        text = f"J = {best.net.text(cost.expression)}"
        given = best.net.gradient(forward.upstream, convention=best.convention)
        lines.append(TEXTS["any-cost"].format(cost=text, last=display_name(forward.upstream), given=given))
    if forward.assume:
        lines.append(TEXTS["one-hot"].format(label=forward.assume.partition(":")[0]))
    if any("U" in names_in(s.expression) for s in best.net.model.statements):
        lines.append(TEXTS["rest"])
    lines.append(TEXTS["change"].format(lines=best.text(), target=forward.target))
    lines.append(TEXTS["meaning"].format(target=target))
    return "\n".join(lines)


def _typeset(net: Net, typed: Expr) -> str:
    """The formula as it was typed; in the canonical language where its shapes do not fit."""
    try:
        return net.text(typed)
    except ShapeError:
        return to_text(typed)


def _judged(alone: Alone) -> str:
    best = alone.best
    verdict = best.verdict
    if alone.factor is not None:
        texts = {"formula": _typeset(best.net, alone.typed), "function": display_name(alone.factor[0])}
        return TEXTS["factor"].format(of=display_name(best.forward.target), **texts)
    if verdict.right:
        return TEXTS["right" if best.convention == "exact" else "right-course"]
    lines = [TEXTS["wrong"].format(verdict=verdict)]
    return "\n".join(lines + ([TEXTS["hint"].format(hint=verdict.hint)] if verdict.hint else []))


def _both(alone: Alone) -> str:
    """The formula of one sample beside that of a batch."""
    best = alone.best
    role = layer_name(best.forward.target).role
    if best.forward.kind != GIVEN or not role:
        return ""
    twin = _twin(best.forward, best.convention)
    if twin is None:
        return ""
    one, many = (twin, best.derivative) if alone.batch else (best.derivative, twin)
    kind = "row" if best.forward.rows else "column"
    rows = [
        (str(one), TEXTS["one-sample"].format(line=TEXTS[kind])),
        (str(many), TEXTS["batch"].format(lines=TEXTS[kind + "s"])),
    ]
    width = max(len(formula) for formula, _ in rows)
    lines = [TEXTS["both"], *(f"  {formula:<{width}}  {said}" for formula, said in rows)]
    if role in (BEFORE, AFTER):
        lines.append("  " + TEXTS["each-alone"].format(Line=TEXTS[kind].capitalize()))
    else:
        divided = TEXTS["divided"].format(samples=best.net.samples) if best.net.samples is not None else ""
        lines.append("  " + TEXTS["summed"].format(name=display_name(best.forward.target), divided=divided))
    return "\n".join(lines)


def _twin(forward: Forward, convention: Convention) -> Derivative | None:
    """The gradient of the same forward pass with the letters in the other case: one sample for a batch, or a batch."""
    changed: dict[str, Expr] = {}
    model = read_model("\n".join([*forward.lines, forward.cost]), dialect="canonical")
    names = {*model.targets, *(n for s in model.statements for n in names_in(s.expression))} - {"J"}
    for name in names:
        plain = name.removeprefix("d") if name[1:] in names else name
        parts = layer_name(plain)
        if parts.role in (BEFORE, AFTER):
            changed[name] = Name(name[: len(name) - len(plain)] + parts.of(parts.stem.swapcase()).text())
    if {n.id for n in changed.values() if isinstance(n, Name)} & names:
        return None

    def new(name: str) -> str:
        other = changed.get(name)
        return other.id if isinstance(other, Name) else name

    lines = [f"{new(s.target)} = {to_text(substituted(s.expression, changed))}" for s in model.statements]
    shapes = [_other_size(new(item.partition(":")[0]), item.partition(":")[2], forward) for item in forward.shapes]
    try:
        net = Net(read_model("\n".join(lines), ", ".join(shapes), dialect="canonical"))
        return net.gradient(new(forward.target), convention=convention if net.samples is not None else "exact")
    except WhenceError:
        return None


def _other_size(name: str, sizes: str, forward: Forward) -> str:
    """A declared shape with m samples for one, or one for m."""
    first, _, last = sizes.strip().partition(" x ")
    samples, other = (first, last) if forward.rows else (last, first)
    if layer_name(name.removeprefix("d")).role in (BEFORE, AFTER) or layer_name(name).role in (BEFORE, AFTER):
        samples = "1" if samples == "m" else "m"
    return f"{name}: {samples} x {other}" if forward.rows else f"{name}: {other} x {samples}"


def _general(alone: Alone) -> str:
    """How the general rule and the shortcut of an output layer go together."""
    best = alone.best
    if best.forward.kind == SHORTCUT:
        line = alone.reading.lines[0]
        hidden = [f for f in presupposed(line.target, line.expression) if f.kind == GIVEN]
        return TEXTS["general"].format(formula=_net(hidden[0]).gradient(hidden[0].target)) if hidden else ""
    last = layer_name(best.forward.upstream)
    if best.forward.kind != GIVEN or layer_name(best.forward.target).role != BEFORE or last.role != BEFORE:
        return ""
    return _shortcut(last, alone.batch)


def _shortcut(z: LayerName, batch: bool) -> str:
    """At which outputs the gradient of the last layer is output minus label: each derived here."""
    a, y = ("A", "Y") if batch else ("a", "y")
    typed = read_typed(f"{z.of(a).text()} - {y}", dialect="canonical").lines[0].expression
    found = [c for c in _candidates(presupposed("d" + z.text(), typed), typed) if c.forward.kind == SHORTCUT]
    right = [c for c in found if c.verdict.right]
    outputs = [f"{c.lines()[-2]} with {c.lines()[-1]}{_one_hot(c)}" for c in right]
    if not outputs:
        return ""
    residual = right[0].net.text(typed)
    first = TEXTS["shortcut"].format(target=display_name(z.text()), residual=residual)
    return "\n".join([first, *(f"  {output}" for output in outputs), TEXTS["elsewhere"]])


def _one_hot(candidate: Candidate) -> str:
    label = candidate.forward.assume.partition(":")[0]
    return f" ({TEXTS['one-hot'].format(label=label).rstrip('.')})" if label else ""


def _others(alone: Alone) -> str:
    """The further forward passes, where they say something else."""
    best = alone.best
    rows: list[str] = []
    for other in alone.candidates[1:]:
        if other.forward.kind not in (GIVEN, SHORTCUT) and best.verdict.right:
            continue  # the same lines, without what the formula does not need
        said = TEXTS["other-right"] if other.verdict.right else TEXTS["other-wrong"].format(formula=other.derivative)
        rows.append(f"  {'; '.join(other.lines())}{_one_hot(other)}   ({said})")
    return "\n".join([TEXTS["others"], *rows[:_OTHERS]]) if rows else ""


def to_json(alone: Alone, view: Any = None, write: str | None = None) -> dict[str, Any]:
    """The answer as one object."""
    best = alone.best
    return {
        "read_as": f"d{best.forward.target} = {to_text(alone.typed)}",
        "notes": list(alone.reading.notes),
        "presupposed": [*best.forward.lines, best.forward.cost],
        "target": "d" + best.forward.target,
        "formula": best.derivative.formula,
        "text": best.derivative.written(write) if write else str(best.derivative),
        "verdict": best.verdict.to_json(),
        "others": [
            {"presupposed": [*c.forward.lines, c.forward.cost], "text": str(c.derivative), "right": c.verdict.right}
            for c in alone.candidates[1:]
        ],
        "explanation": page(alone, view),
    }

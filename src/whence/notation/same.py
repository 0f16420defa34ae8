"""Are two formulas one, however their text was laid out? Decided exactly, by rewriting both to one form.

Each rule keeps the value for every size: a number folds, a sign goes to the front of its product, what has its own
sign (`A * B`) is written with it, a size or an axis that is left out is the one the language says, a sum of what is one
number is that number, the sum of vec(X) that of X, and the letters of an einsum are called in their order. Nothing else
is taken for the same.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from whence.notation.letters import is_lettered, settled_letters
from whence.notation.textbook import ShapeOf
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import TABLE, structured_by
from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Index,
    Negative,
    Number,
    Range,
    Transpose,
    Tuple,
)
from whence.read.walk import children

_PRODUCTS = ("@", "*", "/")
_LARGEST_POWER = 64


def same(left: Expr, right: Expr, shape_of: ShapeOf) -> bool:
    """Are they one formula? Their names and functions are the same ones, at the same places.

    >>> from whence.read.parser import parse_expression as read
    >>> same(read("-(A/m)"), read("-A/m"), lambda part: ("n", "n")), same(read("A @ B"), read("A * B"), lambda part: ())
    (True, False)
    """
    return left == right or settled(left, shape_of) == settled(right, shape_of)


def settled(tree: Expr, shape_of: ShapeOf) -> Expr:
    """The one form of all ways to lay the formula out."""
    work: list[tuple[Expr | Range, bool]] = [(tree, False)]
    done: list[Expr | Range] = []
    while work:
        node, ready = work.pop()
        parts = children(node)
        if ready or not parts:
            at = len(done) - len(parts)
            new = _with_parts(node, done[at:])
            del done[at:]
            done.append(new if isinstance(new, Range) else _settled(new, shape_of))
        else:
            work.append((node, True))
            work.extend((part, False) for part in reversed(parts))
    assert not isinstance(done[0], Range)
    return done[0]


def written_out(node: Call) -> Call:
    """The call with the size and the axis that the language takes where none is given.

    >>> from whence.read.canonical import to_text
    >>> from whence.read.parser import parse_expression as read
    >>> [to_text(written_out(read(text))) for text in ("ones(n)", "softmax(X)")]
    ['ones(n, 1)', 'softmax(X, axis=0)']
    """
    op = TABLE.get(node.name)
    if op is None:
        return node
    if op.gives == "sizes" and signature(op).ways[0].parameters[0].kind == "size" and len(node.arguments) == 1:
        return replace(node, arguments=(*node.arguments, Number(Fraction(1))))
    default = signature(op).axis_default
    if default is not None and not node.keywords:
        return replace(node, keywords=(("axis", Number(Fraction(default))),))
    return node


def _settled(node: Expr, shape_of: ShapeOf) -> Expr:
    if isinstance(node, Negative):
        return _negative(node.operand)
    if isinstance(node, Binary):
        return _binary(node)
    if isinstance(node, Call):
        return _call(node, shape_of)
    return node


def _negative(operand: Expr) -> Expr:
    if isinstance(operand, Negative):
        return operand.operand
    if isinstance(operand, Number):
        return Number(-operand.value)
    return Negative(operand)


def _binary(node: Binary) -> Expr:
    left, right = node.left, node.right
    if isinstance(left, Number) and isinstance(right, Number):
        value = _folded(node.operator, left.value, right.value)
        if value is not None:
            return Number(value)
    if node.operator not in _PRODUCTS:
        return node
    sign, plain = 1, []
    for part in (left, right):
        if isinstance(part, Negative):
            sign, part = -sign, part.operand
        elif isinstance(part, Number) and part.value < 0:
            sign, part = -sign, Number(-part.value)
        plain.append(part)
    product = Binary(node.operator, plain[0], plain[1])
    return product if sign == 1 else Negative(product)


def _folded(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    """The number that an operator gives of two; None where it is none that can be written down."""
    if operator == "**":
        whole = right.denominator == 1 and abs(right) <= _LARGEST_POWER and (left or right > 0)
        return left ** int(right) if whole else None
    if operator == "/":
        return left / right if right else None
    values = {"+": left + right, "-": left - right, "*": left * right}
    return values.get(operator)


def _call(node: Call, shape_of: ShapeOf) -> Expr:
    op = TABLE.get(node.name)
    if op is None:
        return node
    if op.operator and len(node.arguments) == 2 and not node.keywords:
        return _binary(Binary(op.operator, node.arguments[0], node.arguments[1]))
    if is_lettered(node):
        return settled_letters(node, shape_of)
    if op.of_one == "X" and not node.keywords and _reduces(op):
        inner = node.arguments[0]
        if is_number(inner, shape_of):
            return inner
        if isinstance(inner, Call) and inner.name == structured_by("vec").name:
            return replace(node, arguments=inner.arguments)
    return written_out(node)


def _reduces(op: Op) -> bool:
    return signature(op).axis == "several"


def is_number(tree: Expr, shape_of: ShapeOf) -> bool:
    """Has it a single entry?"""
    return isinstance(tree, Number) or all(size == 1 for size in shape_of(tree))


def _with_parts(node: Expr | Range, parts: list[Expr | Range]) -> Expr | Range:
    """The node with other parts, in the order of `children`, and without its place."""
    new = [part for part in parts if not isinstance(part, Range)]
    match node:
        case Negative():
            return Negative(new[0])
        case Transpose():
            return Transpose(new[0], node.batched)
        case Binary():
            return Binary(node.operator, new[0], new[1])
        case Compare():
            return Compare(node.operator, new[0], new[1])
        case Tuple():
            return Tuple(tuple(new))
        case Call():
            count = len(node.arguments)
            words = (word for word, _ in node.keywords)
            return Call(node.name, tuple(new[:count]), tuple(zip(words, new[count:], strict=True)))
        case Index():
            return Index(new[0], tuple(parts[1:]))
        case Range():
            low = new[0] if node.low is not None else None
            return Range(low, new[-1] if node.high is not None else None)
    return node

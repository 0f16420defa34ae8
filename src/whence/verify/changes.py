"""Small changes by the rules of school, on formulas as they are written; functions as the table says."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import reduce

from whence.ops.entry import Op
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Compare, Expr, Name, Negative, Number, Transpose
from whence.read.vocabulary import PRIME, without_primes
from whence.verify.texts import default_axis, parameters, parsed

MARK = "δ"
MOST_POWER = 6  # of a matrix that is written as a product


class NotWritten(Exception):
    """The formula is not written out in entries here."""


def constant(tree: Expr) -> Fraction | None:
    """The number that is written; None where it is more than numbers."""
    match tree:
        case Number(value=value):
            return value
        case Negative(operand=a):
            inner = constant(a)
            return None if inner is None else -inner
        case Binary(operator="/", left=a, right=b):
            above, below = constant(a), constant(b)
            return above / below if above is not None and below else None
    return None


def in_other_words(op: Op, call: Call) -> Expr | None:
    """What the table expands, and a whole power of a matrix as a product."""
    if op.expands:
        return filled(op, op.expands, call)
    power = constant(call.arguments[1]) if op.structure == "matpow" else None
    if power is None or power.denominator != 1 or not 1 <= power <= MOST_POWER:
        return None
    return reduce(lambda a, b: Binary("@", a, b), [call.arguments[0]] * int(power))


def filled(op: Op, text: str, call: Call, more: Mapping[str, Expr] | None = None) -> Expr:
    """A text of the table with the call's arguments in it."""
    given = dict(zip(parameters(op.takes), call.arguments, strict=False)) | dict(more or {})
    axis = dict(call.keywords).get("axis")
    if axis is None and default_axis(op) is not None:
        axis = Number(Fraction(default_axis(op) or 0))

    def go(tree: Expr) -> Expr:
        match tree:
            case Name(id=name):
                return given.get(name, tree)
            case Negative(operand=a):
                return Negative(go(a))
            case Transpose(operand=a):
                return Transpose(go(a))
            case Binary(operator=o, left=a, right=b):
                return Binary(o, go(a), go(b))
            case Compare(operator=o, left=a, right=b):
                return Compare(o, go(a), go(b))
            case Call(name=f, arguments=arguments, keywords=keywords):
                kept = tuple((w, axis if v == Name("axis") else v) for w, v in keywords)
                return Call(f, tuple(map(go, arguments)), tuple((w, v) for w, v in kept if v is not None))
        return tree

    return go(parsed(text))


def change(tree: Expr, name: str) -> Expr | None:
    """The change of a formula where only this name changes, by the rules of school; None where there is none."""
    match tree:
        case Name(id=own):
            return Name(MARK + name) if own == name else None
        case Negative(operand=a) | Transpose(operand=a):
            inner = change(a, name)
            return None if inner is None else Negative(inner) if isinstance(tree, Negative) else Transpose(inner)
        case Binary(operator=o, left=a, right=b):
            return _of_two(o, a, b, change(a, name), change(b, name))
        case Call(name=f) if f in TABLE and (other := in_other_words(TABLE[f], tree)) is not None:
            return change(other, name)
        case Call(arguments=arguments):
            parts = [(k, d) for k, a in enumerate(arguments) if (d := change(a, name)) is not None]
            out: Expr | None = None
            for k, part in parts:
                one = _of_function(tree, k, part)
                out = one if out is None else Binary("+", out, one)
            return out
        case Compare(left=a, right=b) if change(a, name) is not None or change(b, name) is not None:
            return None  # 0 wherever it has a derivative
    return None


def _of_two(o: str, a: Expr, b: Expr, da: Expr | None, db: Expr | None) -> Expr | None:
    if da is None and db is None:
        return None
    if o in ("+", "-"):
        if da is None:
            return db if o == "+" or db is None else Negative(db)
        return da if db is None else Binary(o, da, db)
    parts: list[Expr] = []
    if da is not None:
        if o == "**":
            c = constant(b)
            if c is None:
                raise NotWritten
            parts.append(Binary("*", Binary("*", Number(c), Binary("**", a, Number(c - 1))), da))
        else:
            parts.append(Binary(o, da, b))
    if db is not None:
        if o == "**":
            raise NotWritten
        down = Negative(Binary("/", Binary("*", a, db), Binary("**", b, Number(Fraction(2)))))
        parts.append(down if o == "/" else Binary(o, a, db))
    return parts[0] if len(parts) == 1 else Binary("+", parts[0], parts[1])


def _of_function(call: Call, k: int, part: Expr) -> Expr:
    word, primes = without_primes(call.name)
    op = TABLE.get(word)
    if op is None or primes:
        return Binary("*", Call(call.name + PRIME, call.arguments), part)
    names = parameters(op.takes)
    if k >= len(names):
        raise NotWritten
    if names[k] in op.linear_in:
        return Call(call.name, (*call.arguments[:k], part, *call.arguments[k + 1 :]), call.keywords)
    if not op.differential or op.differential_whole:
        raise NotWritten
    zero = {MARK + n: Number(Fraction(0)) for n in names}
    return filled(op, op.differential, call, zero | {MARK + names[k]: part, "Y": call})

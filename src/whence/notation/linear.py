"""A formula of numbers that is linear in some of its names: what stands beside each of them."""

from __future__ import annotations

from whence.notation.scalars import ONE, ZERO, added, combined, minus
from whence.read.syntax import Binary, Call, Expr, Name, Negative
from whence.read.walk import names_in

MARK = "δ"  # of the names in which the formula is linear


def coefficient(tree: Expr, name: str) -> Expr:
    """What stands beside a name in a formula that is linear in it; zero where it does not stand.

    >>> from whence.read.parser import parse_expression as parse
    >>> from whence.read.canonical import to_text
    >>> to_text(coefficient(parse("w * a + 2 * (v * a - b)", dialect="canonical"), "a"))
    'w + 2 * v'
    """
    if name not in names_in(tree):
        return ZERO
    match tree:
        case Name():
            return ONE
        case Negative(operand=inner):
            return minus(coefficient(inner, name))
        case Binary(operator="+" | "-" as sign, left=a, right=b):
            return added([(True, coefficient(a, name)), (sign == "+", coefficient(b, name))])
        case Binary(operator="*", left=a, right=b):
            if name in names_in(a):
                return combined("*", coefficient(a, name), b)
            return combined("*", a, coefficient(b, name))
        case Binary(operator="/", left=a, right=b) if name not in names_in(b):
            return combined("/", coefficient(a, name), b)
        case Call(name=f, arguments=arguments, keywords=keywords):
            # where(C, δ, 0): linear in the arguments that change, whichever these are.
            return Call(f, tuple(_beside(a, name) for a in arguments), keywords)
    raise NotLinear


def _beside(argument: Expr, name: str) -> Expr:
    changes = any(n.startswith(MARK) for n in names_in(argument))
    return coefficient(argument, name) if changes else argument


class NotLinear(Exception):
    """The formula is not written as a sum of multiples of the name."""


def is_zero(tree: Expr) -> bool:
    """Is it the number 0?"""
    return tree == ZERO

"""Putting formulas in the place of names and of one-line functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from whence.read.syntax import Binary, Call, Compare, Expr, Function, Index, Name, Negative, Transpose, Tuple

NO_NAMES: Mapping[str, Expr] = {}
NO_FUNCTIONS: Mapping[str, Function] = {}


def substituted(
    tree: Expr, names: Mapping[str, Expr] = NO_NAMES, functions: Mapping[str, Function] = NO_FUNCTIONS
) -> Expr:
    """The formula with every name in `names` replaced, and every call of a one-line function written out.

    >>> from whence.read.parser import parse_expression as parse
    >>> from whence.read.canonical import to_text
    >>> to_text(substituted(parse("a + b"), {"a": parse("x * y")}))
    'x * y + b'
    """

    def go(t: Expr) -> Expr:
        return substituted(t, names, functions)

    match tree:
        case Name(id=name):
            return names.get(name, tree)
        case Binary(left=a, right=b) | Compare(left=a, right=b):
            return replace(tree, left=go(a), right=go(b))
        case Negative(operand=a) | Transpose(operand=a) | Index(operand=a):
            return replace(tree, operand=go(a))
        case Tuple(items=items):
            return replace(tree, items=tuple(go(t) for t in items))
        case Call(name=name, arguments=arguments) if name in functions:
            f = functions[name]
            return substituted(f.body, {f.parameter: go(arguments[0])}, functions)
        case Call(arguments=arguments):
            return replace(tree, arguments=tuple(go(t) for t in arguments))
    return tree

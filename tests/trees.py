"""Syntax trees from canonical texts by way of Python's own parser, so that rooms are tested without the reader."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import Any

from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Index,
    Model,
    Name,
    Negative,
    Number,
    Range,
    Span,
    Statement,
    Text,
    Transpose,
    Tuple,
)

BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def tree(text: str, line: int = 1, before: int = 0) -> Expr:
    """The tree of a formula that stands in this line, behind so many characters."""
    before += len(text) - len(text.lstrip())
    node = _tree(ast.parse(text.strip(), mode="eval").body, line, before)
    assert not isinstance(node, Range)
    return node


def model(
    text: str,
    shapes: dict[str, tuple[int | str, ...]] | None = None,
    functions: tuple[str, ...] = (),
    **more: Any,
) -> Model:
    lines = [part.split("=", 1) for part in text.replace(";", "\n").strip().splitlines()]
    statements = [
        Statement(name.strip(), tree(right, k, len(name) + 1), k, f"{name.strip()} = {right.strip()}")
        for k, (name, right) in enumerate(lines, 1)
    ]
    return Model(tuple(statements), shapes or {}, functions=functions, source=text, **more)


def _tree(n: ast.AST, line: int, before: int) -> Any:
    start, end = (getattr(n, place, 0) + before + 1 for place in ("col_offset", "end_col_offset"))
    span = Span(line, start, line, end)

    def go(k: ast.AST) -> Any:
        return _tree(k, line, before)

    if isinstance(n, ast.BinOp):
        return Binary(BINARY[type(n.op)], go(n.left), go(n.right), span)
    if isinstance(n, ast.UnaryOp):
        return Negative(go(n.operand), span) if isinstance(n.op, ast.USub) else go(n.operand)
    if isinstance(n, ast.Compare):
        return Compare(COMPARE[type(n.ops[0])], go(n.left), go(n.comparators[0]), span)
    if isinstance(n, ast.Attribute):
        return Transpose(go(n.value), n.attr == "mT", span)
    if isinstance(n, ast.Name):
        return Name(n.id, span)
    if isinstance(n, ast.Constant):
        return Text(n.value, span) if isinstance(n.value, str) else Number(Fraction(str(n.value)), str(n.value), span)
    if isinstance(n, ast.Call):
        assert isinstance(n.func, ast.Name)
        keywords = tuple((str(k.arg), go(k.value)) for k in n.keywords)
        return Call(n.func.id, tuple(map(go, n.args)), keywords, span)
    if isinstance(n, ast.Tuple):
        return Tuple(tuple(map(go, n.elts)), span)
    if isinstance(n, ast.Slice):
        return Range(n.lower and go(n.lower), n.upper and go(n.upper), span)
    if isinstance(n, ast.Subscript):
        places = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
        return Index(go(n.value), tuple(map(go, places)), span)
    raise ValueError(ast.dump(n))

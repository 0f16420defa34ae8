"""Syntax trees and models from canonical texts, for tests."""

from __future__ import annotations

from whence.read.model import read_model
from whence.read.parser import parse_expression
from whence.read.syntax import Expr, Model, Shape


def tree(text: str, line: int = 1) -> Expr:
    return parse_expression(text, dialect="canonical", line=line)


def model(text: str, shapes: dict[str, Shape] | None = None, functions: tuple[str, ...] = ()) -> Model:
    """A model of canonical lines; the declared shapes stand beside the text."""
    read = read_model(text, functions=functions or None, dialect="canonical")
    return Model(read.statements, dict(shapes or {}), functions=read.functions, source=text)

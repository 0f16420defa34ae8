"""The NumPy texts of the table of functions, carried out on arrays by walking their syntax trees: no text is run."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from whence.ops.entry import Op
from whence.ops.signature import signature

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


class Several(tuple):
    """Arguments that stand for as many as there are: those of einsum and concat, the sizes of ones."""


class NotCarriedOut(Exception):
    """A text that says something the walker does not know."""


def call(op: Op, given: dict[str, Any]) -> Any:
    """The value of a function of the table where its arguments have these values."""
    tree, helpers = _parsed(op)
    return _Walker({**_modules(op.numpy), **helpers, **given}).value(tree)


@lru_cache(256)
def _parsed(op: Op) -> tuple[ast.expr, dict[str, Any]]:
    text = op.numpy
    for p in signature(op).ways[0].parameters:
        if p.many:
            text = text.replace(f"({{{p.name}}})", f"({p.name},)")
    text = text.replace("{", "").replace("}", "")
    helpers = {}
    for node in ast.parse(op.helpers.get("numpy", "")).body:
        if isinstance(node, ast.FunctionDef):
            helpers[node.name] = node
    return ast.parse(text, mode="eval").body, helpers


def _modules(text: str) -> dict[str, Any]:
    import numpy

    found: dict[str, Any] = {"np": numpy, "math": math, "float": float}
    if "scipy" in text:  # slow to import, and only a few matrix functions need it
        try:
            import scipy.linalg
        except ImportError:
            raise NotCarriedOut("SciPy is not installed") from None
        found["scipy"] = scipy
    return found


class _Walker:
    """One scope: the values of its names."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def value(self, node: ast.expr | None) -> Any:
        if node is None:
            return None
        method = _EXPRESSIONS.get(type(node))
        if method is None:
            raise NotCarriedOut(ast.dump(node)[:80])
        return method(self, node)

    def _name(self, node: Any) -> Any:
        if node.id not in self.names:
            raise NotCarriedOut(node.id)
        return self.names[node.id]

    def _call(self, node: Any) -> Any:
        arguments: list[Any] = []
        for argument in node.args:
            value = self.value(argument)
            arguments += value if isinstance(value, Several) else [value]
        keywords = {k.arg: self.value(k.value) for k in node.keywords}
        function = self.value(node.func)
        if isinstance(function, ast.FunctionDef):
            return self._defined(function, arguments, keywords)
        return function(*arguments, **keywords)

    def _defined(self, function: ast.FunctionDef, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        names = [a.arg for a in function.args.args]
        defaults = function.args.defaults
        scope = {n: self.value(d) for n, d in zip(names[len(names) - len(defaults) :], defaults, strict=True)}
        scope |= dict(zip(names, arguments, strict=False)) | keywords
        inner = _Walker({**self.names, **scope})
        found = inner.run(function.body)
        return None if found is None else found[0]

    def run(self, body: list[ast.stmt]) -> tuple[Any] | None:
        """Carry out statements up to a return; the value returned, in a tuple."""
        for statement in body:
            if isinstance(statement, ast.Return):
                return (self.value(statement.value),)
            if isinstance(statement, ast.If):
                found = self.run(statement.body if self.value(statement.test) else statement.orelse)
                if found is not None:
                    return found
            elif isinstance(statement, ast.Assign):
                self._assign(statement.targets[0], self.value(statement.value))
            elif isinstance(statement, ast.Expr):
                self.value(statement.value)
            else:
                raise NotCarriedOut(ast.dump(statement)[:80])
        return None

    def _assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple):
            for part, item in zip(target.elts, value, strict=True):
                self._assign(part, item)
        elif isinstance(target, ast.Subscript):
            self.value(target.value)[self.value(target.slice)] = value
        else:
            raise NotCarriedOut(ast.dump(target)[:80])

    def _compare(self, node: Any) -> Any:
        return _COMPARE[type(node.ops[0])](self.value(node.left), self.value(node.comparators[0]))

    def _minus(self, node: Any) -> Any:
        return -self.value(node.operand)


_EXPRESSIONS: dict[type, Callable[[_Walker, Any], Any]] = {
    ast.Name: _Walker._name,
    ast.Constant: lambda w, n: n.value,
    ast.Attribute: lambda w, n: getattr(w.value(n.value), n.attr),
    ast.Call: _Walker._call,
    ast.BinOp: lambda w, n: _BINARY[type(n.op)](w.value(n.left), w.value(n.right)),
    ast.UnaryOp: _Walker._minus,
    ast.Compare: _Walker._compare,
    ast.IfExp: lambda w, n: w.value(n.body if w.value(n.test) else n.orelse),
    ast.Tuple: lambda w, n: tuple(x for e in n.elts for x in _spread(w.value(e))),
    ast.List: lambda w, n: [w.value(e) for e in n.elts],
    ast.Subscript: lambda w, n: w.value(n.value)[w.value(n.slice)],
    ast.Slice: lambda w, n: slice(w.value(n.lower), w.value(n.upper), w.value(n.step)),
}


def _spread(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, Several) else (value,)

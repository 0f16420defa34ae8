"""An implementation as pasted: the assignments of a NumPy or PyTorch backward pass, one line each.

The code is parsed, never run. What is no assignment of a formula (imports, returns, unpacking, printing) is left out;
what decides which lines run (loops, conditions) is left out too, and said.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from whence.messages.mistakes import CODE_NOTES

LIMIT = 200_000  # characters
_AUGMENTED = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_GRADIENT = "grad"  # W.grad is dW
_SHAPE = "shape"
_LEFT_OUT = (ast.For, ast.While, ast.If, ast.Try, ast.Match)


@dataclass
class Pasted:
    """The lines `name = formula` of a program, and what its names of sizes stand for: name -> (array, axis)."""

    lines: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # where each line stands in the text
    sizes: dict[str, tuple[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def pasted(text: str) -> Pasted | None:
    """The assignments of a Python program; None where the text is no program, but lines as on a slide.

    >>> pasted('def back(dZ, X):\\n    m = X.shape[1]\\n    dW = np.dot(\\n        dZ, X.T)\\n    return dW').lines
    ['dW = np.dot(dZ, X.T)']
    """
    if len(text) > LIMIT:
        return None
    try:
        tree = ast.parse(textwrap.dedent(text.expandtabs(4)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not any(_is_program(node) for node in ast.walk(tree)):
        return None
    out = Pasted()
    for node in _in_order(tree.body, out):
        _collect(node, out)
    return out


def _is_program(node: ast.AST) -> bool:
    """Is it what only a program has, and no list of formulas?"""
    if isinstance(node, ast.Assign):
        return not isinstance(node.targets[0], ast.Name) or _size_of(node.value) is not None
    return isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Return | ast.Import | ast.ImportFrom | ast.AugAssign)


def _in_order(body: list[ast.stmt], out: Pasted) -> Iterator[ast.stmt]:
    """The statements in the order of the text, those of functions too."""
    todo = list(reversed(body))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.With):
            todo.extend(reversed(node.body))
        elif isinstance(node, _LEFT_OUT):
            out.notes.append(CODE_NOTES["left out"].format(line=node.lineno, word=type(node).__name__.lower()))
        else:
            yield node


def _collect(node: ast.stmt, out: Pasted) -> None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        _assigned(node.targets[0], node.value, out)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        _assigned(node.target, node.value, out)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _AUGMENTED:
        name = _name_of(node.target)
        if name:
            _line(name, f"{name} {_AUGMENTED[type(node.op)]} ({ast.unparse(node.value)})", node.lineno, out)


def _assigned(target: ast.expr, value: ast.expr, out: Pasted) -> None:
    if isinstance(target, ast.Tuple):
        array = _shape_of(value)
        if array:
            names = [item.id if isinstance(item, ast.Name) else "" for item in target.elts]
            out.sizes |= {name: (array, k) for k, name in enumerate(names) if name}
        return  # else it unpacks what was kept in the forward pass
    name, size = _name_of(target), _size_of(value)
    if name and size is not None:
        out.sizes[name] = size
    elif name and not isinstance(value, ast.Dict | ast.List | ast.Tuple) and _last_part(value) != name:
        _line(name, ast.unparse(value), target.lineno, out)


def _line(name: str, formula: str, number: int, out: Pasted) -> None:
    out.lines.append(f"{name} = {formula}")
    out.numbers.append(number)


def _name_of(target: ast.expr) -> str:
    """The name that a target means: dW1, grads["dW1"], self.dW1; W1.grad is dW1. Empty for anything else."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return _key(target.slice.value, _name_of(target.value)) if isinstance(target.slice.value, str) else ""
    if isinstance(target, ast.Attribute):
        if target.attr == _GRADIENT:
            inner = _name_of(target.value)
            return "d" + inner if inner else ""
        return target.attr
    return ""


def _key(key: str, of: str) -> str:
    """The name that an entry of a dictionary means: grads["W1"] and grads["dW1"] are dW1."""
    return "d" + key if _GRADIENT in of.lower() and not key.startswith("d") else key


def _last_part(value: ast.expr) -> str:
    """What a value is called that is only looked up: parameters["W2"], self.W2, cache.A1."""
    return _name_of(value) if isinstance(value, ast.Name | ast.Subscript | ast.Attribute) else ""


def _shape_of(value: ast.expr) -> str:
    """X in X.shape and X.size(); else empty."""
    return _last_part(value.value) if isinstance(value, ast.Attribute) and value.attr == _SHAPE else ""


def _size_of(value: ast.expr) -> tuple[str, int] | None:
    """(X, 1) in X.shape[1], (X, 0) in len(X); None for anything else."""
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
        array = _shape_of(value.value)
        return (array, value.slice.value) if array and isinstance(value.slice.value, int) else None
    if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords:
        inner = value.args[0]
        if isinstance(value.func, ast.Name) and value.func.id == "len" and isinstance(inner, ast.Name):
            return inner.id, 0
        if isinstance(value.func, ast.Name) and value.func.id == "float":
            return _size_of(inner)
    return None

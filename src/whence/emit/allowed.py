"""What emitted code may be made of: an allow-list of syntax, the libraries, and plain ASCII."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
from types import ModuleType

SYNTAX = (
    *(ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.Return, ast.Pass, ast.Break, ast.Assert, ast.Raise),
    *(ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.arguments, ast.arg, ast.If, ast.For, ast.With, ast.withitem),
    *(ast.Try, ast.ExceptHandler, ast.Import, ast.ImportFrom, ast.alias, ast.Call, ast.keyword, ast.Attribute),
    *(ast.Name, ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.Tuple, ast.List, ast.Dict, ast.Starred),
    *(ast.Subscript, ast.Slice, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.GeneratorExp),
    *(ast.ListComp, ast.DictComp, ast.comprehension),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
LIBRARIES = {"numpy", "scipy", "jax", "torch"}
# What compiles C and loads it, in the modules that do.
TO_COMPILE = {"ctypes", "functools", "hashlib", "os", "platform", "subprocess", "tempfile"}
BUILT_IN = {"dict", "float", "int", "isinstance", "len", "list", "range", "staticmethod", "sum", "tuple", "zip"}
TO_CALL_COMPILER = {"ImportError", "PermissionError", "open"}


def offences(code: str, compiles: bool = False) -> list[str]:
    """What in a module the allow-list does not have; empty for every module that is emitted."""
    out = [] if code.isascii() else ["characters beyond ASCII"]
    libraries = LIBRARIES | (TO_COMPILE if compiles else set())
    bound = {"__name__", *BUILT_IN, *(TO_CALL_COMPILER if compiles else ())}
    read: dict[str, None] = {}
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read[name] = None
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Attribute(attr=name) if name.startswith("__") and not compiles:
                out.append(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in names]
                out += [f"import {m}" for m in modules if m.split(".")[0] not in libraries]
                bound.update((a.asname or a.name).split(".")[0] for a in names)
        if not isinstance(node, SYNTAX):
            out.append(type(node).__name__)
    return out + [name for name in read if name not in bound]


class _Text(importlib.abc.InspectLoader):
    """Finds the source of a module in a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        return self.text


def loaded(code: str) -> ModuleType:
    """An emitted module, imported from its text once it has been seen to keep within the allow-list."""
    found = offences(code)
    assert not found, f"emitted code has {', '.join(found)}"
    spec = importlib.util.spec_from_loader("emitted", _Text(code))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

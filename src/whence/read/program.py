"""Pasted Python as the equations that it computes: functions opened, loops unrolled, names given once.

Python's own parser reads the statements; nothing is ever run. What is left are assignments of formulas, which are
read like any other line.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace

from whence.messages.errors import LimitError, ReadError
from whence.read.code_words import LIBRARIES
from whence.read.dialects import CANONICAL, CODE, Dialect
from whence.read.program_names import Version, is_version, named_once, version_name
from whence.read.program_values import (
    called_word,
    count_of,
    counters_in,
    decided,
    drawn_shape,
    integer,
    is_bare,
    is_count,
)
from whence.read.vocabulary import entry, known_function

STATEMENTS_LIMIT = 1_000
NODES_LIMIT = 5_000  # of a value with what its names stand for
LAYERS = 3  # taken where a loop runs over the layers and nothing says how many there are
_GRADIENT = "grad"
NAME_LIMIT = 100  # of a key that is put together
_DEPTH = 20  # of functions that call functions
_SIGNS = re.compile(
    r"\.(?:randn|rand|normal|uniform|standard_normal)\(|\.shape\b|\w\[f?[\"']|^[ \t]*\w+(?:, *\w+)+ *="
    r"|^[ \t]*(?:def|for|if|return|import|from|class|with|assert|async)\b",
    re.MULTILINE,
)
_TARGET = re.compile(r"^[ \t]*([A-Za-z_]\w*)[ \t]*[-+*/]?=(?!=)(.*)$", re.MULTILINE)
_SILENT = frozenset({"print", "append", "backward", "step", "zero_grad", "seed", "manual_seed", "requires_grad_"})


@dataclass(frozen=True)
class Equation:
    """One assignment of a program: `target = value` in Python; "" for a formula without a name."""

    target: str
    value: str
    line: int


@dataclass
class Program:
    """What a program computes, what is known of the shapes of its inputs, and how it was read."""

    equations: list[Equation] = field(default_factory=list)
    shapes: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, tuple[str, int]] = field(default_factory=dict)  # names of sizes: N = X.shape[1]

    def segments(self) -> list[tuple[str, int, int]]:
        """The equations as statements with their lines."""
        return [(f"{e.target} = {e.value}" if e.target else e.value, e.line, 0) for e in self.equations]


def has_statements(text: str) -> bool:
    """Has a text statements that are no equations: a function, a loop, a count of rows?

    >>> has_statements("m = X.shape[1]\\nJ = sum(X)/m"), has_statements("h = x @ w\\nh = tanh(h)")
    (True, False)
    """
    single = "\n" not in text and ";" not in text and "def " not in text
    return not single and _SIGNS.search(text) is not None


def assigns_again(text: str) -> bool:
    """Is a name given a new value that is made of its old one?

    >>> assigns_again("h = x @ w\\nh = tanh(h)"), assigns_again("h = x @ w\\nJ = sum(h)")
    (True, False)
    """
    seen: set[str] = set()
    for target, value in _TARGET.findall(text.replace(";", "\n")):
        if target in seen and re.search(rf"(?<!\w){target}(?!\w)", value):
            return True
        seen.add(target)
    return False


def program_of(text: str) -> Program | None:
    """The equations of a Python text; None where it is no Python. Raises ReadError with the line of what has none.

    >>> program = program_of("h = x @ w\\nh = tanh(h)")
    >>> [(e.target, e.value) for e in program.equations]
    [('h1', 'x @ w'), ('h', 'tanh(h1)')]
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of signs behind a backslash
            tree = ast.parse(textwrap.dedent(text.replace("\t", "    ")))
        return _Flattened(tree).program()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def program_in(text: str, dialect: Dialect, again: bool = True) -> Program | None:
    """The program that a text in a dialect is; `again` where each new value of a name is to have a name of its own."""
    if dialect not in (CODE, CANONICAL) or not (has_statements(text) or (again and assigns_again(text))):
        return None
    return program_of(text)


class _Returned(Exception):
    """A return statement was reached. Its value is kept in `value`."""

    def __init__(self, value: ast.expr | None) -> None:
        self.value = value


class _Flattened:
    """Walks a program in the order in which it runs, and notes each assignment as a new version of its name."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.functions = {node.name: node for node in functions if not _is_as_known(node)}
        self.called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        self.counters = {name for node in ast.walk(tree) for name in counters_in(node)}
        self.scope: dict[str, ast.expr] = {}
        self.versions: list[Version] = []
        self.equations: list[tuple[str, ast.expr, int]] = []
        self.counts: dict[str, str] = {}  # X.shape[1] and the name it was given
        self.sizes_of: dict[str, tuple[str, int]] = {}  # the same the other way round
        self.shapes: dict[str, tuple[int | str, ...]] = {}
        self.notes: list[str] = []
        self.layer: int | None = None  # the value of the loop's variable
        self.depth = 0
        self.statements = 0

    def program(self) -> Program:
        self.until_return(self.tree.body)
        self.shapes = {name: tuple(self.size(s) for s in shape) for name, shape in self.shapes.items()}
        self.leave_out_numbers()
        names, notes = named_once(self.versions, self.free_names())
        out = Program(shapes=self.shapes, notes=[*self.notes, *notes], counts=self.sizes_of)
        for target, value, line in self.equations:
            for node in ast.walk(value):
                if isinstance(node, ast.Name):
                    node.id = names.get(node.id, node.id)
            out.equations.append(Equation(names.get(target, target), ast.unparse(value), line))
        return out

    def size(self, size: int | str) -> int | str:
        """A size of numbers that are drawn: the number that its name was given, or the name."""
        for target, value, _ in self.equations:
            if target == size:
                return integer(value) or target.partition(chr(0))[0]
        return size

    def leave_out_numbers(self) -> None:
        """Numbers that no formula uses, such as the width of a layer, are no equations."""
        used = {n.id for _, value, _ in self.equations for n in ast.walk(value) if isinstance(n, ast.Name)}
        idle = {t for t, value, _ in self.equations if isinstance(value, ast.Constant) and t not in used}
        self.equations = [e for e in self.equations if e[0] not in idle]
        self.versions = [v for v in self.versions if v.name not in idle]

    def free_names(self) -> set[str]:
        """Names that are used and that no line before assigns."""
        used = {n.id for _, value, _ in self.equations for n in ast.walk(value) if isinstance(n, ast.Name)}
        return {name for name in used if not is_version(name)}

    # -- statements

    def run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.statements += 1
            if self.statements > STATEMENTS_LIMIT:
                raise LimitError("too-many-lines", line=statement.lineno, column=1, limit=STATEMENTS_LIMIT)
            self.statement(statement)

    def statement(self, s: ast.stmt) -> None:
        if isinstance(s, ast.Assign):
            value = self.value(s.value)
            for target in s.targets:
                self.assign(target, value, s)
        elif isinstance(s, ast.AnnAssign) and s.value is not None:
            self.assign(s.target, self.value(s.value), s)
        elif isinstance(s, ast.AugAssign):
            before = deepcopy(s.target)
            for node in ast.walk(before):
                if isinstance(node, ast.Name | ast.Subscript | ast.Attribute):
                    node.ctx = ast.Load()
            whole = ast.BinOp(before, s.op, s.value)  # type: ignore[arg-type]  # a target that is loaded
            self.assign(s.target, self.value(ast.copy_location(whole, s)), s)
        elif isinstance(s, ast.FunctionDef):
            if s.name in self.functions and s.name not in self.called and s.name != "__init__":
                self.until_return(s.body)
        elif isinstance(s, ast.ClassDef | ast.With):
            self.run(s.body)
        elif isinstance(s, ast.For):
            self.loop(s)
        elif isinstance(s, ast.If):
            self.branch(s)
        elif isinstance(s, ast.Return):
            raise _Returned(self.value(s.value) if s.value is not None else None)
        elif isinstance(s, ast.Expr):
            self.formula(s)
        elif not isinstance(s, ast.Assert | ast.Import | ast.ImportFrom | ast.Pass | ast.AnnAssign):
            raise self.error("code-not-opened", s, type(s).__name__.lower())

    def until_return(self, body: list[ast.stmt]) -> None:
        """The lines of a function that nothing calls, or of a piece cut out of one, and what it returns."""
        try:
            self.run(body)
        except _Returned as returned:
            value = returned.value
            if value is not None and not is_bare(value):
                self.equations.append(("", value, getattr(value, "lineno", 1)))

    def formula(self, s: ast.Expr) -> None:
        """A formula that stands alone; a text or a call that computes nothing is left out."""
        if isinstance(s.value, ast.Constant) and isinstance(s.value.value, str):
            return
        if isinstance(s.value, ast.Call) and called_word(s.value) in _SILENT:
            return
        self.equations.append(("", self.value(s.value), s.lineno))

    def loop(self, s: ast.For) -> None:
        """A loop over numbers, once for each."""
        numbers = self.numbers(s.iter)
        if numbers is None or not isinstance(s.target, ast.Name):
            raise self.error("loop-not-unrolled", s, ast.unparse(s.iter)[:60])
        around = self.layer
        for number in numbers:
            self.layer = number
            self.scope[s.target.id] = ast.Constant(number)
            self.run(s.body)
        self.layer = around

    def numbers(self, node: ast.expr) -> list[int] | None:
        """The numbers of `range(1, L)`, also reversed or as a list; the layers are counted where nothing tells."""
        if isinstance(node, ast.Call) and called_word(node) == "reversed" and len(node.args) == 1:
            inner = self.numbers(node.args[0])
            return inner[::-1] if inner is not None else None
        if isinstance(node, ast.List | ast.Tuple):
            values = [integer(self.value(item)) for item in node.elts]
            return [v for v in values if v is not None] if None not in values else None
        if not (isinstance(node, ast.Call) and called_word(node) == "range" and 1 <= len(node.args) <= 3):
            return None
        for name in {n.id for arg in node.args for n in ast.walk(arg) if isinstance(n, ast.Name)}:
            bound = self.scope.get(name)
            if bound is None or (integer(bound) is None and is_count(bound)):
                self.scope[name] = ast.Constant(LAYERS)
                self.notes.append(f"{name} is not given: {LAYERS} is taken. Begin with a line {name} = 2 for another.")
        limits = [integer(self.value(arg)) for arg in node.args]
        if None in limits or (len(limits) == 3 and limits[2] == 0):
            return None
        numbers = range(*limits)  # type: ignore[arg-type]  # no None is left
        return list(numbers[: STATEMENTS_LIMIT + 1])

    def branch(self, s: ast.If) -> None:
        test = decided(self.value(s.test))
        if test is None and "__name__" in ast.unparse(s.test):
            test = False
        if test is None:
            raise self.error("branch-not-decided", s, ast.unparse(s.test)[:60])
        self.run(s.body if test else s.orelse)

    def assign(self, target: ast.expr, value: ast.expr, s: ast.stmt) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            self.unpack(target, value, s)
            return
        name = self.target_name(target)
        if not name:
            raise ReadError("bad-target", line=s.lineno, column=target.col_offset + 1, found=ast.unparse(target)[:60])
        counted = count_of(value)
        if counted is not None:
            self.count(name, *counted)
        elif (drawn := drawn_shape(value)) is not None:
            self.scope.pop(name, None)
            if len(drawn) > 1:  # one size says nothing of rows and columns
                self.shapes[name] = drawn
        elif isinstance(value, ast.Name) and value.id == name:
            self.scope.pop(name, None)
        elif (result := self.result_of_call(value)) is not None:
            self.versions[result] = replace(self.versions[result], base=name, depth=self.depth)
            self.scope[name] = value
        elif name in self.counters and integer(value) is not None:
            self.scope[name] = value
        elif is_bare(value) and (self.layer is not None or self.depth or not isinstance(value, ast.Name)):
            self.scope[name] = self.within_limit(value, s)
        else:
            version = version_name(name, len(self.versions))
            self.versions.append(Version(name, version, self.layer, s.lineno, self.depth))
            self.equations.append((version, value, s.lineno))
            self.scope[name] = ast.Name(version, ast.Load())

    def result_of_call(self, value: ast.expr) -> int | None:
        """The number of the version that a function of the text gave its value, which takes the name outside."""
        if isinstance(value, ast.Name):
            for k, version in enumerate(self.versions):
                if version.name == value.id and version.depth > self.depth:
                    return k
        return None

    def unpack(self, target: ast.Tuple | ast.List, value: ast.expr, s: ast.stmt) -> None:
        """`A, W, b = cache`, `n, m = X.shape`."""
        if isinstance(value, ast.Attribute) and value.attr == "shape":
            for axis, item in enumerate(target.elts):
                if isinstance(item, ast.Name):
                    self.count(item.id, ast.unparse(value.value), axis)
            return
        if not isinstance(value, ast.Tuple | ast.List) or len(value.elts) != len(target.elts):
            if isinstance(value, ast.Name) and not is_version(value.id):
                for item in target.elts:  # a cache that comes from elsewhere: its items are inputs
                    self.scope.pop(self.target_name(item), None)
                return
            raise self.error("code-not-opened", s, ast.unparse(s)[:60])
        for item, part in zip(target.elts, value.elts, strict=True):
            self.assign(item, part, s)

    def count(self, name: str, of: str, axis: int) -> None:
        """A name for the number of rows or columns."""
        self.scope.pop(name, None)
        self.counts[f"{of}.shape[{axis}]"] = name
        self.sizes_of[name] = (of.partition(chr(0))[0], axis)
        side = {0: "rows", 1: "columns"}.get(axis, f"entries along axis {axis}")
        self.notes.append(f"{name} is the number of {side} of {of.partition(chr(0))[0]}.")

    def target_name(self, target: ast.expr) -> str:
        """The name that an assignment gives: `dW`, `grads["dW1"]`, `self.h`; `W.grad` and `grads["W"]` are dW."""
        if isinstance(target, ast.Name):
            return target.id
        if isinstance(target, ast.Attribute):
            inner = self.target_name(target.value) if target.attr == _GRADIENT else ""
            return "d" + inner if inner else target.attr
        if isinstance(target, ast.Subscript):
            key = self.value(target.slice)
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier():
                of_gradients = _GRADIENT in self.target_name(target.value) and not key.value.startswith("d")
                return "d" + key.value if of_gradients else key.value
        return ""

    # -- values

    def value(self, node: ast.expr) -> ast.expr:
        """A value with what the names before stand for, and with the functions of the text opened."""
        return _Opened(self).visit(deepcopy(node))

    def open_call(self, function: ast.FunctionDef, call: ast.Call) -> ast.expr:
        """What a call of a function of the text gives."""
        if self.depth >= _DEPTH:
            raise self.error("code-not-opened", call, f"{function.name} calls itself")
        parameters = [a.arg for a in function.args.args if a.arg not in ("self", "ctx")]
        bound = dict(zip(parameters[::-1], function.args.defaults[::-1], strict=False))
        bound.update(zip(parameters, call.args, strict=False))
        bound.update({k.arg: k.value for k in call.keywords if k.arg})
        if len(call.args) > len(parameters) or set(parameters) - set(bound):
            raise self.error("code-not-opened", call, f"{function.name} takes {len(parameters)} arguments")
        around, self.scope = self.scope, {name: deepcopy(bound[name]) for name in parameters}
        self.depth += 1
        try:
            self.run(function.body)
        except _Returned as returned:
            if returned.value is not None:
                return self.within_limit(returned.value, call)
        finally:
            self.scope, self.depth = around, self.depth - 1
        raise self.error("code-not-opened", call, f"{function.name} returns nothing")

    def within_limit(self, value: ast.expr, at: ast.stmt | ast.expr) -> ast.expr:
        """The value, unless opening functions and collections has blown it up."""
        if sum(1 for _ in ast.walk(value)) > NODES_LIMIT:
            raise LimitError("too-many-lines", line=at.lineno, column=1, limit=STATEMENTS_LIMIT)
        return value

    def error(self, code: str, node: ast.stmt | ast.expr, found: str) -> ReadError:
        line = getattr(node, "lineno", 1)
        return ReadError(code, line=line, column=getattr(node, "col_offset", 0) + 1, found=found)


class _Opened(ast.NodeTransformer):
    """Puts into a value what its names stand for."""

    def __init__(self, flattened: _Flattened) -> None:
        self.flattened = flattened

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return deepcopy(self.flattened.scope.get(node.id, node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "str" and len(node.args) == 1:
            number = integer(node.args[0])
            return ast.Constant(str(number)) if number is not None else node
        function = self.flattened.functions.get(called_word(node))
        called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        own = called is node.func or (isinstance(called, ast.Name) and called.id == "self")
        return self.flattened.open_call(function, node) if function is not None and own else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        self.generic_visit(node)
        parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in node.values]
        if all(isinstance(part, ast.Constant) for part in parts):
            return ast.Constant("".join(str(part.value) for part in parts if isinstance(part, ast.Constant)))
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = node.left, node.right
        if not (isinstance(left, ast.Constant) and isinstance(right, ast.Constant)):
            return node
        if isinstance(node.op, ast.Add) and isinstance(left.value, str) and isinstance(right.value, str):
            joined = left.value + right.value
            return ast.Constant(joined) if len(joined) <= NAME_LIMIT else node
        a, b = integer(left), integer(right)
        if self.flattened.layer is not None and a is not None and b is not None:
            if isinstance(node.op, ast.Add):
                return ast.Constant(a + b)
            if isinstance(node.op, ast.Sub):
                return ast.Constant(a - b)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        counted = self.flattened.counts.get(ast.unparse(node))
        if counted is not None:
            return ast.Name(counted, ast.Load())
        key = node.slice
        if isinstance(node.value, ast.Dict):
            for name, item in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(name, ast.Constant) and isinstance(key, ast.Constant) and name.value == key.value:
                    return item
        index = integer(key)
        if isinstance(node.value, ast.Tuple | ast.List) and index is not None:
            items = node.value.elts
            return items[index] if -len(items) <= index < len(items) else node
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier():
            return deepcopy(self.flattened.scope.get(key.value, ast.Name(key.value, ast.Load())))
        return node


def _is_as_known(function: ast.FunctionDef) -> bool:
    """Does a function define one that the language has, under its name and as the language does?"""
    op = entry(known_function(function.name) or "")
    if op is None or not op.exact or len(function.args.args) != 1:
        return False
    trial = _Flattened(ast.Module([], []))
    try:
        value = trial.open_call(function, ast.Call(ast.Name(function.name), [ast.Name(op.takes)], []))
    except ReadError:
        return False
    if len(trial.equations) == 1 and isinstance(value, ast.Name):
        value = trial.equations[0][1]
    bare = re.sub(rf"\b(?:{'|'.join(LIBRARIES)})\.", "", ast.unparse(value))
    return bare == ast.unparse(ast.parse(op.exact, mode="eval").body)

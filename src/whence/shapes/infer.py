"""The shapes of a whole model: what was declared, what follows from it, and what is taken by default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from whence.messages.errors import ShapeError
from whence.ops.signature import signature
from whence.ops.table import CONSTANTS, TABLE
from whence.read.declarations import SQUARE
from whence.read.syntax import NOWHERE, Call, Expr, Index, Model, Name, Range
from whence.shapes.dims import Dim
from whence.shapes.forward import Scope, children, names_in, shape_of
from whence.shapes.products import refuse_unlikely
from whence.shapes.words import Sizes, is_scalar, text, words


@dataclass(frozen=True)
class Row:
    """One name of the model: its shape, and which line fixed it (0: declared) and why."""

    name: str
    shape: Sizes
    line: int = 0
    why: str = "declared"


@dataclass
class ShapeTable:
    """The shapes of all names of a model, in the order of declaration, then of the lines."""

    rows: list[Row]
    defaults: list[str]
    scope: Scope = field(repr=False)

    @property
    def dims(self) -> tuple[str, ...]:
        """The dimension symbols, in alphabetical order. In formulas they are numbers."""
        return tuple(sorted(self.scope.dims))

    def shape(self, name: str) -> Sizes:
        """() a scalar, (n, 1) a column, (1, m) a row, (n, m) a matrix, longer a tensor; ShapeError if unknown."""
        return shape_of(Name(name), self.scope)

    def shape_of(self, expression: Expr, line: int = 0, extra: dict[str, Sizes] | None = None) -> Sizes:
        """The shape of any expression over the model's names, and over `extra` ones (adjoints).

        A product such as x.T @ x is (1, 1), a sum is (): both are numbers (`is_scalar`). ShapeError where it does
        not fit.
        """
        scope = self.scope
        indices = frozenset(_index_names(expression)) - scope.shapes.keys() - scope.dims
        if extra or indices - scope.indices:
            shapes = {**scope.shapes, **(extra or {})}
            scope = Scope(
                shapes, scope.dims, scope.indices | indices, scope.functions, scope.defined, scope.lines, scope.source
            )
        return shape_of(expression, scope, line)

    def texts(self) -> dict[str, str]:
        """Name -> "n x m", for messages."""
        return {row.name: text(row.shape) for row in self.rows}


def infer(model: Model) -> ShapeTable:
    """The shape of every name of a model.

    Where all inputs are declared this is one check from the first line to the last. Names without a shape get
    the one that the lines force; what the lines leave open is taken by default, and each default is said in a
    sentence of `defaults`. ShapeError where shapes clash, with the place, both shapes and the lines that fixed them.
    """
    declared = {name: tuple(Dim.parse(size) for size in shape) for name, shape in model.shapes.items()}
    scope = Scope(
        dict(declared),
        dims=frozenset(symbol for shape in declared.values() for size in shape for symbol in size.symbols),
        functions=model.functions,
        defined=model.defined,
        source=model.source,
        soft=model.soft,
    )
    rows = [Row(name, shape) for name, shape in declared.items()]
    defaults: list[str] = []
    _find_symbols(model, scope)
    unknown = undeclared(model, scope)
    if unknown:
        from whence.shapes.solve import solve

        solution = solve(model, scope, unknown)
        scope.dims = solution.dims
        for name, found in solution.shapes.items():
            scope.shapes[name] = found.shape
            scope.lines[name] = found.line
            rows.append(Row(name, found.shape, found.line, found.why))
        defaults = solution.defaults
    for statement in model.statements:
        try:
            shape = shape_of(statement.expression, scope, statement.line)
        except ShapeError as error:
            refuse_unlikely(statement, scope, unknown)
            if defaults and not error.help:
                error.help = "Taken by default: " + " ".join(defaults) + " Declare these shapes if that is not meant."
            raise
        _same_as_declared(statement.target, shape, statement.line, scope)
        scope.shapes[statement.target] = shape
        scope.lines[statement.target] = statement.line
        if statement.target not in declared:
            rows.append(Row(statement.target, shape, statement.line, "follows"))
    for statement in model.statements if unknown else ():
        refuse_unlikely(statement, scope, unknown)
    check_assumed(model, scope)
    return ShapeTable(rows, defaults, scope)


def check_assumed(model: Model, scope: Scope) -> None:
    """ShapeError where something is said of a name that only square matrices can be."""
    for name, tags in model.assumptions.items():
        shape = scope.shapes.get(name, ())
        tag = next((tag for tag in tags if tag in SQUARE), None)
        if tag is None or is_scalar(shape) or shape[-1] == shape[-2]:
            continue
        place = model.assumed_at.get(name, NOWHERE)
        raise ShapeError(
            "assumption-shape",
            line=place.line,
            column=place.column,
            end=place.end,
            found=name,
            shapes={n: text(s) for n, s in scope.shapes.items()},
            source=scope.source if place.line else "",
            assumption=tag,
            shape=words(shape),
        )


def _same_as_declared(name: str, shape: Sizes, line: int, scope: Scope) -> None:
    before = scope.shapes.get(name)
    if before is not None and before != shape:
        raise ShapeError(
            "shape-clash",
            line=line,
            found=words(shape),
            expected=words(before),
            shapes={n: text(s) for n, s in scope.shapes.items()},
            source=scope.source,
            name=name,
            left=words(before),
            right=words(shape),
            lines=f"{name}: declared",
            function="",
            argument="",
        )


def _find_symbols(model: Model, scope: Scope) -> None:
    """Names that can only be dimensions (ones(n), X[0:k, :]) or indices (X[i, j])."""
    dims: set[str] = set()
    indices: set[str] = set()
    for statement in model.statements:
        dims.update(_dimension_names(statement.expression))
        indices.update(_index_names(statement.expression))
    known = scope.shapes.keys() | set(model.targets)
    scope.dims |= dims - known
    scope.indices = frozenset(indices - known - scope.dims)


def _nodes(expression: Expr) -> Iterator[Expr | Range]:
    stack: list[Expr | Range] = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node))


def _index_names(expression: Expr) -> list[str]:
    places = [p for node in _nodes(expression) if isinstance(node, Index) for p in node.places]
    return [name for p in places if not isinstance(p, Range) for name in names_in(p)]


def _dimension_names(expression: Expr) -> list[str]:
    out: list[str] = []
    for node in _nodes(expression):
        if isinstance(node, Range):
            out += names_in(node)
        elif isinstance(node, Call) and node.name in TABLE:
            parameters = signature(TABLE[node.name]).ways[0].parameters
            kinds = [p.kind for p in parameters] + [parameters[-1].kind] * len(node.arguments)
            sizes = [a for a, kind in zip(node.arguments, kinds, strict=False) if kind == "size"]
            out += [name for a in sizes for name in names_in(a)]
    return out


def _called_names(expression: Expr) -> set[str]:
    """Names that are arguments of the kind `name`: frechet(expm, X, E)."""
    out: set[str] = set()
    for node in _nodes(expression):
        if isinstance(node, Call) and node.name in TABLE:
            parameters = signature(TABLE[node.name]).ways[0].parameters
            pairs = zip(parameters, node.arguments, strict=False)
            out |= {a.id for p, a in pairs if p.kind == "name" and isinstance(a, Name)}
    return out


def undeclared(model: Model, scope: Scope) -> list[str]:
    """The inputs without a shape, in the order in which they occur."""
    out: dict[str, None] = {}
    known = scope.shapes.keys() | scope.dims | scope.indices | CONSTANTS.keys()
    defined: set[str] = set()
    for statement in model.statements:
        names = names_in(statement.expression)
        free = [n for n in names if n not in known and n not in defined]
        if free:
            called = _called_names(statement.expression)
            out.update(dict.fromkeys(n for n in free if n not in called))
        defined.add(statement.target)
    return list(out)

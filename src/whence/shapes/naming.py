"""Names for sizes that came out equal but have none: n0, n1, n2 and m in a network, else n, m, p, ..."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count

from whence.read.syntax import Binary, Expr, Model, Name, Range
from whence.shapes.dims import Dim
from whence.shapes.equations import Equations
from whence.shapes.forward import children, names_in
from whence.shapes.unknowns import Reason

POOL = ("n", "m", "p", "q", "r", "k", "d", "l")
DATA = ("X",)
WEIGHTS = ("W", "w", "Theta", "theta")
COUNTS = ("m", "n", "N", "B")  # how the number of samples is called
_LAYER = re.compile(r"^([A-Za-z]+)_?(\d{1,3})$")


class Naming:
    """Names every unknown size. `counted` are names of the text that turn out to be one of the sizes (sum(L)/m)."""

    def __init__(self, model: Model, equations: Equations) -> None:
        self.model, self.equations, self.unknowns = model, equations, equations.unknowns
        self.counted: dict[str, None] = {}
        self.sentences: list[str] = []
        names = [n for s in model.statements for n in (s.target, *names_in(s.expression))]
        self.taken = {*names, *model.shapes, *model.functions, *equations.scope.dims}
        layers = [n for n in (*equations.inputs, *model.targets) if _LAYER.match(n)]
        self.network = len(layers) > 1
        self.data = next((n for n in equations.inputs if n in DATA), "")
        self.samples_in_rows = bool(self.data) and self.stands_left(self.data)

    def name_all(self, computed: Iterable[int], conclude: Callable[[], None]) -> None:
        """Name what is unknown; sizes that are `computed` from others only where these others do not decide them."""
        self.samples()
        later = {self.unknowns.root(node) for node in computed}
        for skipped in (later, set()):
            for name, pair in self.equations.inputs.items():
                for node, wish in zip(pair, self.wanted(name), strict=True):
                    unknown = self.unknowns.value(node) is None and name not in self.counted
                    if unknown and self.unknowns.root(node) not in skipped:
                        self.give(node, self.free(wish), name)
            conclude()

    def give(self, node: int, symbol: str, name: str) -> None:
        self.taken.add(symbol)
        self.unknowns.same(node, self.unknowns.known(Dim.symbol(symbol)), Reason(0, f"{symbol} is a new name"))
        if symbol not in self.counted:
            self.sentences.append(f"{symbol} names a size of {name} that nothing else names.")

    def samples(self) -> None:
        """The size of the data along which samples lie: m, or the name by which the text divides."""
        data, in_rows = self.data, self.samples_in_rows
        if not data:
            return
        node = self.equations.inputs[data][0 if in_rows else 1]
        if self.unknowns.value(node) is not None:
            return
        symbol = next((c for c in COUNTS if c in self.equations.scaling), "")
        if symbol:
            self.counted.setdefault(symbol)
            axis = "rows" if in_rows else "columns"
            self.sentences.append(f"{symbol} is taken as the number of {axis} of {data}.")
            self.give(node, symbol, data)
        elif self.network:
            self.give(node, self.free("m"), data)

    def stands_left(self, data: str) -> bool:
        """Is the data the left factor of its first product (samples in rows)?"""
        for statement in self.model.statements:
            for node in _nodes(statement.expression):
                if isinstance(node, Binary) and node.operator == "@":
                    if isinstance(node.right, Name) and node.right.id == data:
                        return False
                    if isinstance(node.left, Name) and node.left.id == data:
                        return True
        return False

    def wanted(self, name: str) -> tuple[str, str]:
        """How the rows and columns of a name would be called in a lecture."""
        found = _LAYER.match(name)
        wish = ("n", "m")
        if found and self.network:
            layer = int(found.group(2))
            before = f"n{layer - 1}" if layer else "n"
            wish = (f"n{layer}", before if found.group(1) in WEIGHTS else "m")
        elif name in DATA and self.network:
            wish = ("n0", "m")
        return (wish[1], wish[0]) if self.samples_in_rows and self.network else wish

    def free(self, wish: str) -> str:
        if wish not in self.taken:
            return wish
        numbered = (f"n{k}" for k in count(1))
        return next(s for s in chain(() if self.network else POOL, numbered) if s not in self.taken)


def _nodes(expression: Expr) -> Iterator[Expr | Range]:
    stack: list[Expr | Range] = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))

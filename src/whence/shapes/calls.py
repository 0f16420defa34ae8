"""The shape of a call, from the entry's `takes` and `gives` (the notation is in whence.ops.entry)."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, NoReturn

from whence.messages.errors import WhenceError
from whence.ops.entry import Op
from whence.ops.signature import Parameter, Signature, Way, signature
from whence.ops.table import TABLE
from whence.read.syntax import Call, Expr, Name, Text, Tuple
from whence.shapes.dims import Dim
from whence.shapes.words import ONE, Sizes, text, words

if TYPE_CHECKING:
    from whence.shapes.forward import Walk

PRIME = "_prime"
MAX_NESTED_DEFINITIONS = 20
MAX_AXES = 8
MAX_MATRIX_POWER = 64


def call_shape(node: Call, walk: Walk) -> Sizes:
    """The shape of a call's value; ShapeError where the function is unknown or the arguments do not fit."""
    op = TABLE.get(node.name)
    if op is None or node.name in walk.scope.defined or node.name in walk.scope.functions:
        return _other_function(node, walk)
    read = signature(op)
    if op.kind == "elementwise" and len(node.arguments) == 1 and len(read.ways[0].parameters) == 1:
        if node.keywords:
            _wrong(node, walk, f"{node.keywords[0][0]}=", "no keyword")
        return walk.shape(node.arguments[0])
    axis = _axis_argument(node, read, walk)
    shapes: dict[int, Sizes] = {}  # an argument is walked once, whatever the number of ways
    failure: WhenceError | None = None
    for way in read.ways:
        try:
            return _Matched(node, op, read, way, axis, walk, shapes).value()
        except WhenceError as error:
            failure = failure or error
            if len(shapes) < len(way.parameters):
                raise
    assert failure is not None
    raise failure


def _other_function(node: Call, walk: Walk) -> Sizes:
    """Unknown elementwise functions and their derivatives, functions that the model defines, sigmoid_prime."""
    scope, name = walk.scope, node.name
    base = name.removesuffix(PRIME)
    defined = scope.defined.get(name) or scope.defined.get(base) or scope.defined.get(base.removesuffix(PRIME))
    op = TABLE.get(base)
    elementwise = op is not None and base != name and op.kind == "elementwise" and _parameters(op) == 1
    unknown = name in scope.functions or base in scope.functions or base.removesuffix(PRIME) in scope.functions
    if not (defined or elementwise or unknown):
        walk.fail("unknown-function", node.span, found=name, name=name)
    if len(node.arguments) != 1 or node.keywords:
        _wrong(node, walk, f"{len(node.arguments)} arguments", "one argument")
    shape = walk.shape(node.arguments[0])
    if defined is None:
        return shape
    if scope.depth >= MAX_NESTED_DEFINITIONS:
        _wrong(node, walk, "a function that leads back to itself", "a function of known ones")
    return type(walk)(scope.inside(defined, shape), defined.line).shape(defined.body)


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"


def _parameters(op: Op) -> int:
    return len(signature(op).ways[0].parameters)


def _wrong(node: Call, walk: Walk, found: str, expected: str, code: str = "wrong-arguments") -> NoReturn:
    if code == "wrong-arguments":  # "{found} takes {expected}."
        found, expected = node.name, f"{expected}, not {found}"
    axis = next((value for keyword, value in node.keywords if keyword == "axis"), node)
    span = axis.span if code == "bad-axis" else node.span
    walk.fail(code, span, found=found, expected=expected, name=node.name, function=node.name)


def _axis_argument(node: Call, read: Signature, walk: Walk) -> tuple[int, ...] | None:
    """The axes given, None where none is. They are checked against the rank later."""
    given = [value for keyword, value in node.keywords if keyword == "axis"]
    other = [keyword for keyword, _ in node.keywords if keyword != "axis"]
    if other or len(given) > 1 or (given and not read.axis):
        _wrong(node, walk, ", ".join(f"{k}=" for k, _ in node.keywords), "axis=" if read.axis else "no keyword")
    if not given:
        if read.axis_required:
            _wrong(node, walk, "no axis=", "axis=")
        return None
    items = given[0].items if isinstance(given[0], Tuple) else (given[0],)
    axes = [walk.whole(item) for item in items]
    known = tuple(a for a in axes if a is not None)
    if len(known) < len(axes) or not known or isinstance(given[0], Tuple) and read.axis != "several":
        _wrong(node, walk, "that is no number", "one number" if read.axis == "one" else "whole numbers", "bad-axis")
    return known


class _Matched:
    """One way of calling, matched with the arguments of one call."""

    def __init__(
        self,
        node: Call,
        op: Op,
        read: Signature,
        way: Way,
        axis: tuple[int, ...] | None,
        walk: Walk,
        shapes: dict[int, Sizes],
    ) -> None:
        self.node, self.op, self.read, self.way, self.axis, self.walk = node, op, read, way, axis, walk
        self.shapes = shapes
        self.letters: dict[str, Dim] = {}
        self.arrays: list[Sizes] = []
        self.named: dict[str, Sizes] = {}
        self.sizes: list[Dim] = []
        self.spec = ""
        self.order: tuple[int, ...] = ()
        self.leading: Sizes = ()

    def value(self) -> Sizes:
        for parameter, argument, at in self.pairs():
            self.bind(parameter, argument, at)
        return _RULES[self.way.rule](self)

    def pairs(self) -> list[tuple[Parameter, Expr, int]]:
        arguments, parameters = self.node.arguments, self.way.parameters
        last = parameters[-1]
        few, many = len(arguments) < len(parameters), len(arguments) > len(parameters)
        if few or (many and not last.many):
            n = len(parameters)
            _wrong(self.node, self.walk, str(len(arguments)), ("at least " if last.many else "") + _arguments(n))
        filled = [*parameters, *[last] * (len(arguments) - len(parameters))]
        return [(p, a, k) for k, (p, a) in enumerate(zip(filled, arguments, strict=True))]

    def bind(self, parameter: Parameter, argument: Expr, at: int) -> None:
        if parameter.kind == "array":
            if at not in self.shapes:
                self.shapes[at] = self.walk.shape(argument)
            self.array(parameter, self.shapes[at], argument)
        elif parameter.kind == "size":
            size = self.walk.dim(argument)
            if size.number is not None and size.number < 1:
                _wrong(self.node, self.walk, str(size), "sizes of at least 1")
            self.letters[parameter.name] = size
            self.sizes.append(size)
        else:
            self.word(parameter, argument)

    def word(self, parameter: Parameter, argument: Expr) -> None:
        if parameter.kind == "integer":
            power = self.walk.whole(argument)
            if power is None or abs(power) > MAX_MATRIX_POWER:
                _wrong(self.node, self.walk, "another exponent", f"a whole number up to {MAX_MATRIX_POWER}")
        elif parameter.kind == "name":
            if not isinstance(argument, Name) or argument.id not in self.op.functions:
                _wrong(self.node, self.walk, "another word", "one of " + ", ".join(self.op.functions))
        elif parameter.kind == "letters":
            if not isinstance(argument, Text):
                _wrong(self.node, self.walk, "no letters", 'letters such as "ij,jk->ik"')
            self.spec = argument.value.replace(" ", "")
        elif isinstance(argument, Tuple):
            self.order = tuple(-1 if k is None else k for k in map(self.walk.whole, argument.items))
        else:
            _wrong(self.node, self.walk, "no order", "the order of the axes, such as (0, 2, 1)")

    def array(self, parameter: Parameter, shape: Sizes, argument: Expr) -> None:
        self.arrays.append(shape)
        self.named[parameter.name] = shape
        if parameter.sizes is None:
            return
        own = shape or (ONE, ONE)
        if len(own) > 2 and not parameter.batched:
            self.clash(argument, shape, "a matrix")
        if len(parameter.sizes) == 1:
            if ONE not in own:
                self.clash(argument, shape, "a column or a row")
            own = tuple(d for d in own if d != ONE)[:1] or (ONE,)
        elif parameter.batched:
            self.leading = self.walk.broadcast(self.leading, own[:-2], self.leading, shape, self.node)
            own = own[-2:]
        for letter, size in zip(parameter.sizes, own, strict=True):
            if self.letters.setdefault(letter, size) != size:
                square = len(set(parameter.sizes)) == 1 and len(parameter.sizes) == 2
                self.clash(argument, shape, "a square matrix" if square else f"{self.letters[letter]} there", square)

    def clash(self, argument: Expr, shape: Sizes, expected: str, square: bool = False) -> NoReturn:
        self.walk.fail(
            "not-square" if square else "shape-clash",
            argument.span if argument.span.line else self.node.span,
            found=words(shape),
            expected=f"{expected} in {self.node.name}",
            nodes=(self.node,),
            name=self.node.name,
            function=self.node.name,
            left=words(shape),
            right=expected,
        )

    def by_sizes(self) -> Sizes:
        out = tuple(self.letters.get(g) or Dim.parse(g).substitute(self.letters) for g in self.way.gives)
        if any(d.number is not None and d.number < 1 for d in out):
            _wrong(self.node, self.walk, ", ".join(map(text, self.arrays)), "a value that is not empty", "shape-clash")
        leading = self.leading if self.way.batched else ()
        return (*leading, *out) if out or not leading else (*leading, ONE, ONE)

    def by_same(self) -> Sizes:
        shape = self.named[self.way.gives[0]]
        if not self.read.axis:
            return shape
        if self.axis is None and self.read.axis_default is None:
            return shape
        if self.axis is None and len(shape) > 2:
            _wrong(self.node, self.walk, "no axis=", "axis= for a tensor")
        shape = shape or (ONE, ONE)
        self.checked_axes(len(shape))
        return shape

    def by_broadcast(self) -> Sizes:
        out = self.named[self.way.gives[0]]
        for name in self.way.gives[1:]:
            out = self.walk.fit(out, self.named[name], self.node)
        return out

    def by_axis(self) -> Sizes:
        if self.axis is None:
            return ()
        shape = self.arrays[0] or (ONE, ONE)
        axes = self.checked_axes(len(shape))
        return tuple(ONE if k in axes else d for k, d in enumerate(shape))

    def checked_axes(self, rank: int) -> tuple[int, ...]:
        axes = self.axis if self.axis is not None else (self.read.axis_default or 0,)
        shape = self.arrays[0]
        # Up to rank 2 an axis is 0 or 1: axis=-1 of a column would be its axis of length 1.
        low = -rank if rank > 2 else 0
        fit = all(low <= a < rank for a in axes)
        positive = tuple(a % rank for a in axes)
        if not fit or len(set(positive)) < len(axes) or (rank < 3 and len(axes) > 1):
            listed = ", ".join(map(str, axes))
            expected = "0 or 1" if rank < 3 else f"-{rank} to {rank - 1}"
            _wrong(self.node, self.walk, f"{listed} of {words(shape)}", expected, "bad-axis")
        return positive

    def by_given(self) -> Sizes:
        sizes = tuple(self.sizes)
        if len(sizes) > MAX_AXES:
            _wrong(self.node, self.walk, f"{len(sizes)} sizes", f"at most {MAX_AXES}")
        if self.arrays:
            have = prod(self.arrays[0], start=ONE)
            if have != prod(sizes, start=ONE):
                self.clash(self.node.arguments[0], self.arrays[0], f"{prod(sizes, start=ONE)} entries, not {have},")
        return sizes if len(sizes) != 1 else (*sizes, ONE)

    def by_order(self) -> Sizes:
        shape = self.arrays[0]
        if sorted(self.order) != list(range(len(shape))):
            _wrong(self.node, self.walk, "another order", f"an order with each of {len(shape)} axes once")
        return tuple(shape[k] for k in self.order)

    def by_joined(self) -> Sizes:
        parts = [shape or (ONE, ONE) for shape in self.arrays]
        rank = len(parts[0])
        axis = self.checked_axes(rank)[0]
        for part, argument in zip(parts, self.node.arguments, strict=True):
            fits = len(part) == rank and part[:axis] + part[axis + 1 :] == parts[0][:axis] + parts[0][axis + 1 :]
            if not fits:
                self.clash(argument, part, f"the sizes of {words(parts[0])} off axis {axis}")
        total = sum((part[axis] for part in parts), start=Dim.parse(0))
        return (*parts[0][:axis], total, *parts[0][axis + 1 :])

    def by_letters(self) -> Sizes:
        left, arrow, out = self.spec.partition("->")
        groups = left.split(",")
        letters = set(left + out) - {","}
        if not arrow or not all(c.isascii() and c.isalpha() for c in letters) or len(groups) > 8:
            _wrong(self.node, self.walk, repr(self.spec), '"ab,bc->ac"')
        if len(groups) != len(self.arrays):
            _wrong(
                self.node, self.walk, f"{len(groups)} groups for {len(self.arrays)} operands", "one for each operand"
            )
        for group, shape, argument in zip(groups, self.arrays, self.node.arguments[1:], strict=True):
            self.lettered(group, shape, argument)
        if set(out) - set(left) or len(set(out)) < len(out):
            _wrong(self.node, self.walk, repr(out), "letters of the operands, each once")
        sizes = tuple(self.letters[c] for c in out)
        return (*sizes, ONE) if len(sizes) == 1 else sizes

    def lettered(self, group: str, shape: Sizes, argument: Expr) -> None:
        """A column is also a plain list: surplus axes of length 1 go, the last first."""
        axes = list(shape)
        while len(axes) > len(group) and ONE in axes:
            del axes[len(axes) - 1 - axes[::-1].index(ONE)]
        if len(axes) != len(group):
            self.clash(argument, shape, f"{len(group)} axes for {group!r}")
        for letter, size in zip(group, axes, strict=True):
            if self.letters.setdefault(letter, size) != size:
                self.clash(argument, shape, f"{self.letters[letter]} for {letter!r}")


_RULES: dict[str, Callable[[_Matched], Sizes]] = {
    "same": _Matched.by_same,
    "broadcast": _Matched.by_broadcast,
    "sizes": _Matched.by_sizes,
    "axis": _Matched.by_axis,
    "given": _Matched.by_given,
    "order": _Matched.by_order,
    "joined": _Matched.by_joined,
    "letters": _Matched.by_letters,
}

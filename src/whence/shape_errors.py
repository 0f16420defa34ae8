"""An error about shapes, answered: what fits instead, and where in a model the product stands that was meant."""

from __future__ import annotations

from collections.abc import Iterator

from whence.messages.array_errors import ARRAY_ERRORS
from whence.net import Derivative, Net
from whence.read.array_errors import PRODUCT, ArrayError
from whence.read.syntax import Binary, Expr
from whence.read.walk import walk
from whence.shapes.dims import Dim

_MOST = 4  # so many places in a model are shown


def explained(error: ArrayError, net: Net | None = None) -> str:
    """What the error says in plain words, what fits instead; with a model, the likely places in its backward pass.

    >>> from whence.read.array_errors import array_error_in
    >>> error = array_error_in("shapes (4,3) and (4,3) not aligned: 3 (dim 1) != 4 (dim 0)")
    >>> print(explained(error).split("\\n")[2])
      A * B    4 × 3  entry by entry: both have this shape, as where the derivative of an activation enters
    """
    lines = [_said(error)]
    ways = list(_ways(error))
    if ways:
        width = max(len(shape) for _, shape, _ in ways)
        lines += [ARRAY_ERRORS["fits"], *(f"  {way:<7}  {shape:<{width}}  {why}" for way, shape, why in ways)]
    if net is None:
        return "\n".join([*lines, ARRAY_ERRORS["shape"].format(advice=ARRAY_ERRORS["advice"])])
    places = list(dict.fromkeys(_places(error, net)))[:_MOST]
    if not places:
        return "\n".join([*lines, ARRAY_ERRORS["nowhere"]])
    for sizes in dict.fromkeys(sizes for sizes, _ in places):
        lines.append(ARRAY_ERRORS["in-model"].format(sizes=sizes))
        lines += [f"  {said}" for found, said in places if found == sizes]
    return "\n".join(lines)


def _said(error: ArrayError) -> str:
    texts = {"left": _text(error.left), "right": _text(error.right)}
    texts |= {"columns": str(error.left[-1]), "rows": str(error.right[0])}
    return ARRAY_ERRORS[error.kind if error.whole else f"{error.kind}-sizes"].format(**texts)


def _text(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))


def _ways(error: ArrayError) -> Iterator[tuple[str, str, str]]:
    """The products of the two arrays that fit, with the shape of each."""
    a, b = error.left, error.right
    if not error.whole or len(a) != 2 or len(b) != 2:
        return
    if all(x == y or 1 in (x, y) for x, y in zip(a, b, strict=True)):
        shape = tuple(max(x, y) for x, y in zip(a, b, strict=True))
        yield "A * B", _text(shape), ARRAY_ERRORS["entry-by-entry" if a == b else "matrix"]
    for left, right, way in ((a, b, "A @ B"), (a[::-1], b, "A.T @ B"), (a, b[::-1], "A @ B.T"), (b, a, "B @ A"),
                             (b[::-1], a, "B.T @ A"), (b, a[::-1], "B @ A.T")):  # fmt: skip
        if left[1] == right[0] and (error.kind == PRODUCT or way in ("A @ B", "B @ A")):
            why = ARRAY_ERRORS["of-vectors" if left[1] == 1 else "matrix"]
            yield way, _text((left[0], right[1])), why


# -- in a model


def _places(error: ArrayError, net: Net) -> Iterator[tuple[str, str]]:
    """The sizes and the products of a model's backward pass that one slip turns into this error."""
    for operator in ("*", "@"):  # most of those who ask have taken a product that goes entry by entry for a matrix one
        for d in net.lecture():
            for node in walk(d.answer.tree):
                if isinstance(node, Binary) and node.operator == operator:
                    yield from _at(error, net, d, node)


def _at(error: ArrayError, net: Net, d: Derivative, node: Binary) -> Iterator[tuple[str, str]]:
    a, b = net.shape_of(node.left), net.shape_of(node.right)
    if len(a) != 2 or len(b) != 2 or not error.whole:
        return
    slips = [(a, b)] if node.operator == "*" else [(a[::-1], b), (a, b[::-1]), (b, a), (b[::-1], a), (b, a[::-1])]
    if node.operator == "@" and error.kind != PRODUCT:
        slips = [(a, b), *slips]
    if node.operator == "*" and error.kind != PRODUCT:
        slips = [(a[::-1], b), (a, b[::-1])]
    for left, right in slips:
        sizes = _assigned(((left, error.left), (right, error.right)))
        if sizes is not None:
            said = ARRAY_ERRORS["at-star" if node.operator == "*" else "at-product"]
            texts = {"formula": str(d), "left": _part(net, node.left), "right": _part(net, node.right)}
            yield ", ".join(f"{name} = {size}" for name, size in sorted(sizes.items())), said.format(**texts)
            return


def _part(net: Net, tree: Expr) -> str:
    return net.text(tree)


def _assigned(pairs: tuple[tuple[tuple[Dim, ...], tuple[int, ...]], ...]) -> dict[str, int] | None:
    """Sizes by name with which the shapes are the numbers; None where there are none."""
    out: dict[str, int] = {}
    for shape, numbers in pairs:
        if len(shape) != len(numbers):
            return None
        for size, number in zip(shape, numbers, strict=True):
            text = str(size)
            if text.isdigit():
                if int(text) != number:
                    return None
            elif out.setdefault(text, number) != number:
                return None
    return out

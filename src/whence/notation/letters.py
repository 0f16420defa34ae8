"""The letters of an einsum, and which axis of which operand each of them goes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from whence.notation.textbook import ShapeOf
from whence.ops.table import TABLE
from whence.read.syntax import Call, Expr, Text

CANONICAL = "ijklmnopqrstuvwxyzabcdefgh"


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand: its letters, each with the axis it goes along and that axis's size."""

    array: Expr
    axes: tuple[tuple[str, int, object], ...]
    rank: int

    @property
    def letters(self) -> str:
        return "".join(letter for letter, _, _ in self.axes)


def is_lettered(node: Call) -> bool:
    """Is the call an einsum, with its letters?"""
    op = TABLE.get(node.name)
    return op is not None and op.gives == "letters" and isinstance(node.arguments[0], Text)


def operands_of(node: Call, shape_of: ShapeOf) -> tuple[list[Operand], str]:
    """The operands and the letters of the result. An operand with more axes than letters loses axes of length 1."""
    letters = node.arguments[0]
    assert isinstance(letters, Text)
    left, _, result = letters.value.replace(" ", "").partition("->")
    texts = left.split(",")
    pairs = zip(texts, node.arguments[1:], strict=True)
    return [Operand(array, _axes(text, shape_of(array)), len(shape_of(array))) for text, array in pairs], result


def _axes(letters: str, shape: Sequence[object]) -> tuple[tuple[str, int, object], ...]:
    kept = list(range(len(shape)))
    for axis in reversed(range(len(shape))):
        if len(kept) > len(letters) and shape[axis] == 1:
            kept.remove(axis)
    return tuple((letter, axis, shape[axis]) for letter, axis in zip(letters, kept, strict=True))


def settled_letters(node: Call, shape_of: ShapeOf) -> Call:
    """The einsum with its letters in the order of the alphabet, those of axes of length 1 left out where nothing is
    lost: inside the sum, and behind the one letter of a result that is a column.
    """
    operands, result = operands_of(node, shape_of)
    single = {letter for operand in operands for letter, _, size in operand.axes if size == 1}
    if len(result) == 2 and result[1] in single and result[0] not in single:
        result = result[0]
    single -= set(result)
    texts = ["".join(c for c in operand.letters if c not in single) for operand in operands]
    new = dict(zip(dict.fromkeys(result + "".join(texts)), CANONICAL, strict=False))
    text = ",".join(texts) + "->" + result
    return replace(node, arguments=(Text("".join(new.get(c, c) for c in text)), *node.arguments[1:]))


def with_every_axis(node: Call, shape_of: ShapeOf) -> Call | None:
    """The einsum with a letter for every axis, as NumPy asks for; None where the result would lack an axis."""
    operands, result = operands_of(node, shape_of)
    used = set(result) | {c for operand in operands for c in operand.letters}
    spare = next((c for c in reversed(CANONICAL) if c not in used), None)
    if spare is None:
        return None
    texts: list[str] = []
    for operand in operands:
        at = {axis: letter for letter, axis, _ in operand.axes}
        texts.append("".join(at.get(axis, spare) for axis in range(operand.rank)))
    if len(result) == 1:
        if not any(spare in text for text in texts):
            return None
        result += spare
    return replace(node, arguments=(Text(",".join(texts) + "->" + result), *node.arguments[1:]))

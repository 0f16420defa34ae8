"""How far rounding may carry a gradient: the formulas evaluated again with each operation off by a random rounding.

The roundings are those of the stated format, sums are off by those of the format they are added up in. What decides
between two pieces of a function (a comparison) is tried on either side of where it may fall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from whence.messages.errors import ReadError
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Compare, Expr
from whence.read.vocabulary import PRIME

if TYPE_CHECKING:
    from numpy import ndarray as Array

    from whence.arrays.values import Values


@dataclass(frozen=True)
class Format:
    """A floating-point format: half the distance of neighbours at 1, the smallest number, the largest."""

    name: str
    bits: int
    smallest: float
    largest: float

    @property
    def unit(self) -> float:
        return 2.0**-self.bits


FORMATS = {
    f.name: f
    for f in (
        Format("float64", 53, 2.0**-1074, 1.7976931348623157e308),
        Format("float32", 24, 2.0**-149, 3.4028234663852886e38),
        Format("bf16", 8, 2.0**-133, 3.3895313892515355e38),
        Format("fp16", 11, 2.0**-24, 65504.0),
    )
}
SPELLINGS = {"bfloat16": "bf16", "float16": "fp16", "half": "fp16", "single": "float32", "double": "float64"}
RUNS = 3
ALLOWED = 8.0  # how many times the spread of the runs an entry may be off
_PUSH = 4.0  # how many times its own spread an argument of a comparison is moved
_POOL = 1 << 20


def format_of(name: str) -> Format:
    """The format with this name, in NumPy's spelling or a kernel's. Raises ReadError `bad-option`."""
    word = name.removeprefix("torch.").lower()
    found = FORMATS.get(SPELLINGS.get(word, word))
    if found is None:
        raise ReadError("bad-option", found=f"dtype {name!r}", expected="one of " + ", ".join(FORMATS))
    return found


class Rounding:
    """The roundings of one run. `exact` holds the values without them."""

    def __init__(self, format: Format, exact: Values, run: int) -> None:
        import numpy as np

        self.format, self.exact, self.run = format, exact, run
        self.sums = min(format.unit, FORMATS["float32"].unit)  # sums of short formats are added up in float32
        self.random = np.random.default_rng(run)
        self.pool = self.random.uniform(-1.0, 1.0, _POOL)

    def _drawn(self, shape: tuple[int, ...]) -> Array:
        import numpy as np

        count = prod(shape)
        if count <= _POOL // 2:
            start = int(self.random.integers(0, _POOL - count))
            return self.pool[start : start + count].reshape(shape)
        return np.resize(np.roll(self.pool, int(self.random.integers(0, _POOL))), count).reshape(shape)

    def of_input(self, x: Array) -> Array:
        """An input as the format holds it, if it holds it not exactly."""
        import numpy as np

        short = rounded_to(x, self.format)
        return x if np.array_equal(short, x, equal_nan=True) else self.rounded(x)

    def rounded(self, x: Array) -> Array:
        off = self._drawn(x.shape) * x
        off *= self.format.unit
        off += x
        if self.format.smallest > 1e-30:  # else no number of a model comes near the smallest
            off += self.format.smallest * self._drawn(x.shape)
        return off

    def before(self, node: Expr, given: list[Array]) -> list[Array]:
        """The operands; those of a comparison moved to where they might have fallen."""
        import numpy as np

        if _is_mask(node):
            parts = [node.left, node.right] if isinstance(node, Compare) else list(getattr(node, "arguments", ()))
            out = []
            for part, x in zip(parts, given, strict=False):
                known = self.exact.known.get(id(part))
                side = 1.0 if (self.run + len(out)) % 2 else -1.0
                spread = 0.0 if known is None else float(np.sqrt(np.mean((x - known[1]) ** 2)))
                out.append(x + side * _PUSH * spread)
            return out
        if isinstance(node, Call) and node.name in TABLE and TABLE[node.name].kind == "function":
            return [self.rounded(x) for x in given]
        return given

    def after(
        self, node: Expr, value: Array, given: list[Array], again: Callable[[list[Array]], Array]
    ) -> Array:
        """The value as it comes out of the operation."""
        if _is_mask(node):
            return value
        value = self.rounded(value)
        count = max((x.size for x in given), default=1) // max(value.size, 1)
        if isinstance(node, Binary) and node.operator == "@" and given[0].ndim:
            count = given[0].shape[-1]
        if count < 2 or self.sums * count < self.format.unit / 8:
            return value
        op = TABLE.get(node.name) if isinstance(node, Call) else None
        if op is not None and not op.linear_in:
            return value
        size = again([abs(x) for x in given])  # what the sum would be if nothing in it cancelled
        off = self.sums * (size + count**0.5 * abs(value))
        return value + off * self._drawn(value.shape)


def rounded_to(x: Array, format: Format) -> Array:
    """The nearest numbers of the format."""
    import numpy as np

    mantissa, exponent = np.frexp(x)
    scale = 2.0**format.bits
    return np.ldexp(np.round(mantissa * scale) / scale, exponent)


def _is_mask(node: Expr) -> bool:
    """Is the value constant but for jumps?"""
    if isinstance(node, Compare):
        return True
    if not isinstance(node, Call):
        return False
    op = TABLE.get(node.name)
    return op.zero if op is not None else node.name.endswith(PRIME) and bool(_kink(node.name))


def _kink(name: str) -> str:
    op = TABLE.get(name.removesuffix(PRIME))
    return op.kink if op is not None else ""


def envelope(exact: Array, runs: list[Array], format: Format) -> Array:
    """How far each entry may be off: the spread over the runs, no smaller than that of its neighbours, many times."""
    import numpy as np

    square = np.mean([(run - exact) ** 2 for run in runs], axis=0)
    long = [k for k, n in enumerate(exact.shape) if n >= 4]
    allowed = ALLOWED
    if long:
        pooled = np.min([np.broadcast_to(np.mean(square, axis=k, keepdims=True), square.shape) for k in long], axis=0)
        square = np.maximum(square, pooled)
    else:
        allowed *= 3.0
        square = np.maximum(square, np.mean(square))
    return allowed * np.sqrt(square) + 4.0 * format.unit * np.abs(exact) + 4.0 * format.smallest

"""The errors that NumPy, PyTorch and JAX raise where two arrays do not fit, as people paste them."""

from __future__ import annotations

import re
from dataclasses import dataclass

PRODUCT, ENTRYWISE = "product", "entrywise"
_SHAPE = r"[(\[]\s*(\d+(?:\s*[,x]\s*\d*)*)\s*[)\]]"
_ERRORS = (
    (PRODUCT, re.compile(rf"shapes {_SHAPE} and {_SHAPE} not aligned")),
    (PRODUCT, re.compile(r"shapes cannot be multiplied \((\d+x\d+) and (\d+x\d+)\)")),
    (PRODUCT, re.compile(rf"dot_general requires contracting dimensions.*?got {_SHAPE} and {_SHAPE}")),
    (ENTRYWISE, re.compile(rf"could not be broadcast together with (?:remapped )?shapes {_SHAPE} (?:and )?{_SHAPE}")),
    (ENTRYWISE, re.compile(rf"[Ii]ncompatible shapes for broadcasting:? .*?{_SHAPE}.*?{_SHAPE}")),
)
_SIZES = (
    (PRODUCT, re.compile(r"mismatch in its core dimension 0.*?size (\d+) is different from (\d+)")),
    (ENTRYWISE, re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")),
)


@dataclass(frozen=True)
class ArrayError:
    """Two arrays that do not fit: in a matrix product or entry by entry; their shapes, or only the sizes that clash."""

    kind: str
    left: tuple[int, ...]
    right: tuple[int, ...]
    whole: bool = True  # False where only the sizes that clash are known


def array_error_in(text: str) -> ArrayError | None:
    """The first error about shapes in a text; None where there is none.

    >>> array_error_in("ValueError: shapes (4,3) and (4,3) not aligned: 3 (dim 1) != 4 (dim 0)")
    ArrayError(kind='product', left=(4, 3), right=(4, 3), whole=True)
    """
    for line in text[:100_000].split("\n"):
        for kind, pattern in _ERRORS:
            found = pattern.search(line[:2_000])
            if found is not None:
                return ArrayError(kind, _sizes(found[1]), _sizes(found[2]))
        for kind, pattern in _SIZES:
            found = pattern.search(line[:2_000])
            if found is not None and kind == PRODUCT:
                return ArrayError(kind, (int(found[2]),), (int(found[1]),), whole=False)
            if found is not None:
                return ArrayError(kind, (int(found[1]),), (int(found[2]),), whole=False)
    return None


def without_array_errors(text: str) -> str:
    """The text without the lines of such errors.

    >>> without_array_errors("Z = W X\\nshapes (4,3) and (4,3) not aligned")
    'Z = W X'
    """
    return "\n".join(line for line in text.split("\n") if array_error_in(line) is None)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in re.findall(r"\d+", text))

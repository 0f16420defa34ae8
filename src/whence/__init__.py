"""Where does a gradient formula come from, and is mine right?

>>> import whence
>>> print(whence.derivative("trace(A @ X)", "X", shapes="A: m x n, X: n x m"))
dX = Aᵀ
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from whence.messages.errors import (
    LimitError,
    ReadError,
    RefusedError,
    RuleError,
    ShapeError,
    UnknownError,
    WhenceError,
)

if TYPE_CHECKING:
    from whence import identities
    from whence.auditing import Audit
    from whence.check.verdict import Equality
    from whence.net import Derivative, Net

__version__ = "0.1.0"
__all__ = [
    "LimitError",
    "ReadError",
    "RefusedError",
    "RuleError",
    "ShapeError",
    "UnknownError",
    "WhenceError",
    "audit",
    "derivative",
    "equivalent",
    "identities",
    "model",
]


def __getattr__(name: str) -> Any:
    """`whence.identities`, loaded when it is first asked for."""
    if name == "identities":
        import importlib

        return importlib.import_module("whence.identities")
    raise AttributeError(f"module 'whence' has no attribute {name!r}")


def model(
    text: str,
    shapes: str | Mapping[str, object] | None = None,
    assume: str | Mapping[str, object] | None = None,
    functions: Iterable[str] | None = None,
    dialect: str | None = None,
) -> Net:
    """The model that a text describes: one equation a line, as in a lecture or as Python.

    Shapes that follow from others need not be given. Raises ReadError, ShapeError and LimitError.

    >>> net = model("z = W x + b; J = sum(z**2)", shapes="W: n x m, x: m")
    >>> str(net.gradient("W"))
    'dW = 2 z xᵀ'
    """
    from whence.net import Net
    from whence.read.model import read_model

    return Net(read_model(text, shapes, assume, functions, dialect))  # type: ignore[arg-type]  # the reader says what of it it cannot take


def derivative(
    expression: str,
    wrt: str | Iterable[str],
    shapes: str | Mapping[str, object] | None = None,
    assume: str | Mapping[str, object] | None = None,
) -> Derivative:
    """The derivative of one formula by one name, or by two in order.

    >>> derivative("x.T @ A @ x", "x", shapes="x: n, A: n x n").formula
    '(A + A.T) @ x'
    """
    from whence.net import Net
    from whence.read.model import read_model

    names = [wrt] if isinstance(wrt, str) else list(wrt)
    read = read_model(expression, shapes, assume, None, "canonical")  # type: ignore[arg-type]  # the reader says what of it it cannot take
    net = Net(read, hidden=read.targets[-1:])
    return net.derivative(net.model.targets[-1], names)


def audit(
    function: Callable[..., Any] | Mapping[str, Any],
    model: Net | str,
    inputs: Mapping[str, Any],
    upstream: Any = None,
    dtype: str | None = None,
    shapes: str | Mapping[str, object] | None = None,
) -> Audit:
    """The verdict on an existing backward pass, from its arrays: right within rounding, or wrong, and by which formula.

    `function` is the gradients by name, a backward pass, or a forward pass in PyTorch or JAX: see `whence.auditing`.
    """
    from whence.auditing import audit as run

    return run(function, model, inputs, upstream, dtype, shapes)


def equivalent(
    one: str,
    other: str,
    shapes: str | Mapping[str, object] | None = None,
    assume: str | Mapping[str, object] | None = None,
) -> Equality:
    """Whether two formulas are equal for all inputs of these shapes: prints `equal`, `not equal`, `cannot decide`.

    Equal comes with a certificate, not equal with a witness, small numbers at which they differ. Raises ReadError and
    ShapeError for what cannot be read or does not fit.

    >>> print(equivalent("A @ (B @ C)", "(A @ B) @ C", shapes="A: n x m, B: m x k, C: k x p"))
    equal
    >>> print(equivalent("A @ B", "B @ A", shapes="A: n x n, B: n x n"))
    not equal
    """
    from whence.checking import equal_formulas

    return equal_formulas(one, other, shapes, assume)

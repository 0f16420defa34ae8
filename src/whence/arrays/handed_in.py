"""Arrays as they are handed in: NumPy's, PyTorch's, JAX's, and the gradients that a callable gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from whence.arrays.rounding import FORMATS, Format, rounded_to
from whence.messages.errors import ReadError

if TYPE_CHECKING:
    from numpy import ndarray as Array

SEEN = 8  # numbers from which the format shows


def array_of(x: Any) -> Array:
    """The array in float64, whoever made it. Two bytes without a type are bf16."""
    import numpy as np

    if hasattr(x, "detach"):  # PyTorch
        x = x.detach().cpu().double().numpy()
    found = np.asarray(x)
    if found.dtype.kind == "V" and found.dtype.itemsize == 2:
        found = (found.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    try:
        return found.astype(np.float64)
    except (TypeError, ValueError):
        raise ReadError("bad-option", found=f"an array of {found.dtype}", expected="an array of numbers") from None


def format_seen(arrays: Mapping[str, Array]) -> Format:
    """The shortest format that holds all numbers of some gradient, where they are enough to tell."""
    for word in ("bf16", "fp16", "float32"):
        for x in arrays.values():
            some = x[(x != 0) & (x * 0 == 0)] if x.ndim else x.reshape(-1)
            if some.size >= SEEN and bool((rounded_to(some, FORMATS[word]) == some).all()) and _fractions(some):
                return FORMATS[word]
    return FORMATS["float64"]


def _fractions(x: Array) -> bool:
    """Are there numbers of many digits? Whole numbers tell nothing of a format."""
    import numpy as np

    return len(np.unique(x)) >= SEEN // 2 and not bool((x * 8 == np.round(x * 8)).all())


def gradients_of(function: Callable[..., Any] | Mapping[str, Any], inputs: Mapping[str, Any], upstream: Any) -> dict:
    """The gradients by name: handed in, given by a backward pass, or those of a forward pass in PyTorch or JAX."""
    if isinstance(function, Mapping):
        return {n: array_of(x) for n, x in function.items()}
    given, is_backward = _arguments(function, inputs, upstream)
    if not is_backward:
        differentiate = _torch if _made_by("torch", inputs) else _jax if _made_by("jax", inputs) else None
        if differentiate is not None:
            return differentiate(function, given, upstream)
    found = function(**given)
    if isinstance(found, Mapping):
        return {n: array_of(x) for n, x in found.items()}
    listed = found if isinstance(found, (tuple, list)) else (found,)
    return {n: array_of(x) for n, x in zip(inputs, listed, strict=False) if x is not None}


def _arguments(function: Callable[..., Any], inputs: Mapping[str, Any], upstream: Any) -> tuple[dict[str, Any], bool]:
    """What the callable is called with, and whether it takes the upstream gradient too."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        more = dict(upstream) if isinstance(upstream, Mapping) else {}
        return {**inputs, **more}, bool(more)
    named = [p.name for p in parameters]
    given = {n: inputs[n] for n in named if n in inputs}
    rest = [p.name for p in parameters if p.name not in inputs and p.default is p.empty]
    if isinstance(upstream, Mapping):
        given |= {n: upstream[n] for n in rest if n in upstream}
    elif upstream is not None and len(rest) == 1:
        given[rest[0]] = upstream
    lacking = [n for n in rest if n not in given]
    if lacking:
        found = "the function's parameters " + ", ".join(lacking)
        raise ReadError("bad-option", found=found, expected="names of inputs")
    return given, bool(rest)


def _made_by(library: str, inputs: Mapping[str, Any]) -> bool:
    return any(type(x).__module__.partition(".")[0].startswith(library) for x in inputs.values())


def _torch(function: Callable[..., Any], inputs: Mapping[str, Any], upstream: Any) -> dict[str, Array]:
    import torch

    moving = {
        n: x.detach().clone().requires_grad_(True)
        for n, x in inputs.items()
        if isinstance(x, torch.Tensor) and x.is_floating_point()
    }
    value = function(**{**inputs, **moving})
    ups = next(iter(upstream.values())) if isinstance(upstream, Mapping) else upstream
    out = torch.autograd.grad(value, list(moving.values()), ups, allow_unused=True)
    return {n: array_of(x) for n, x in zip(moving, out, strict=True) if x is not None}


def _jax(function: Callable[..., Any], inputs: Mapping[str, Any], upstream: Any) -> dict[str, Array]:
    import jax
    import jax.numpy as jnp

    moving = {n: x for n, x in inputs.items() if jnp.issubdtype(jnp.asarray(x).dtype, jnp.floating)}
    value, back = jax.vjp(lambda some: function(**{**inputs, **some}), moving)
    ups = next(iter(upstream.values())) if isinstance(upstream, Mapping) else upstream
    (out,) = back(jnp.ones_like(value) if ups is None else jnp.asarray(ups, dtype=value.dtype))
    return {n: array_of(x) for n, x in out.items()}

"""Running emitted modules, and drawing what they are called with."""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

from whence.code import program_of_problem
from whence.emit.program import Program
from whence.engine import solve_problem
from whence.read.problem import problem_from_json


def program(problem: dict[str, Any]) -> Program:
    """The program of a problem of a corpus; raises what the engine raises."""
    read = problem_from_json(problem)
    return program_of_problem(read, solve_problem(read))


def module(code: str) -> types.ModuleType:
    made = types.ModuleType("emitted")
    exec(compile(code, "emitted", "exec"), made.__dict__)
    return made


def converted(value: Any, end: str) -> Any:
    """An input as the back end takes it; a stand-in for an unknown function is wrapped."""
    if callable(value):
        return value if end == "torch" else _wrapped(value, end)
    array = np.array(value, dtype=float)
    if end == "torch":
        import torch

        return torch.tensor(array)
    if end == "jax":
        import jax.numpy as jnp

        return jnp.asarray(array)
    return array if array.ndim else np.float64(array)


def _wrapped(function: Any, end: str) -> Any:
    import torch

    def numeric(x: Any) -> Any:
        return converted(function(torch.tensor(np.array(x))).numpy(), end)

    return numeric


def arguments(function: Any, truth: dict[str, Any], end: str, **others: Any) -> list[Any]:
    """What an emitted function is called with at an instantiation of the oracle; `others` are given."""
    out = []
    for name in inspect.signature(function).parameters:
        if name in others:
            out.append(others[name])
        elif name in truth["sizes"]:
            out.append(truth["sizes"][name])
        elif name in truth["inputs"]:
            out.append(converted(truth["inputs"][name], end))
        else:
            value = truth["env"][name]
            out.append(converted(value, end) if callable(value) else int(value))
    return out


def called(function: Any, truth: dict[str, Any], end: str) -> np.ndarray:
    """What an emitted function gives at an instantiation of the oracle."""
    found = function(*arguments(function, truth, end))
    return np.asarray(found[-1] if isinstance(found, tuple) else found, dtype=float)


def assert_agrees(found: np.ndarray, true: np.ndarray) -> None:
    """Each entry within 1e-9 of the largest; axes of length 1 count only up to rank 2."""
    if found.size == true.size == 1 or max(found.ndim, true.ndim) > 2:
        found, true = (a.reshape([n for n in a.shape if n != 1]) for a in (found, true))
    assert found.shape == true.shape
    scale = max(float(np.abs(true).max(initial=0.0)), 1e-3)
    assert float(np.abs(found - true).max(initial=0.0)) <= 1e-9 * scale

"""The value of an answer's graph at concrete inputs, in NumPy."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
from rival_graph import Node

UNIT = re.compile(r"unit_(\w+?)_(\w+)$")
LESS = re.compile(r"(\w+)-(\w+)\+1$")


def value_of(nodes: list[Node], env: dict[str, Any], functions: dict[str, Any]) -> np.ndarray:
    """`env`: inputs, sizes, index values and unknown functions by name; `functions`: elementwise ones on tensors."""
    run = Values(env, functions)
    with np.errstate(all="ignore"):
        for node in nodes:
            run.values.append(run.value(node))
    return run.values[-1]


class Values:
    def __init__(self, env: dict[str, Any], functions: dict[str, Any]) -> None:
        self.env, self.functions = env, functions
        self.values: list[np.ndarray] = []

    def value(self, node: Node) -> np.ndarray:
        return np.asarray(getattr(self, f"do_{node[0]}")(*node[1:]), float)

    def whole(self, place: int) -> int:
        return int(round(float(self.values[place].reshape(()))))

    def do_number(self, text: str) -> float:
        return float(Fraction(text))

    def do_size(self, name: str) -> float:
        if name.isdigit():
            return float(name)
        if name in self.env:
            return float(self.env[name])
        whole, part = LESS.match(name).groups()  # type: ignore[union-attr]
        return self.do_size(whole) - self.do_size(part) + 1

    def do_variable(self, name: str, rank: int) -> np.ndarray:
        if name not in self.env and (match := UNIT.match(name)):
            unit = np.zeros((int(self.do_size(match[2])), 1))
            unit[int(self.env[match[1]]), 0] = 1
        else:
            unit = np.asarray(self.env[name], float)
        return unit if unit.ndim == rank else unit.reshape([n for n in unit.shape if n != 1])

    def do_eye(self, n: int) -> np.ndarray:
        return np.eye(self.whole(n))

    def do_ones(self, *sizes: int) -> np.ndarray:
        return np.ones([self.whole(n) for n in sizes])

    def do_zeros(self, *sizes: int) -> np.ndarray:
        return np.zeros([self.whole(n) for n in sizes])

    def do_delta(self, n: int, order: int) -> np.ndarray:
        size = self.whole(n)
        if order == 0:
            return np.asarray(float(size))
        delta = np.zeros([size] * order)
        delta[tuple([np.arange(size)] * order)] = 1
        return delta

    def do_shift(self, *sizes: int) -> np.ndarray:
        whole, part, left = (np.arange(self.whole(n)) for n in sizes)
        return whole[:, None, None] == part[None, :, None] + left[None, None, :]

    def do_einsum(self, labels: list[list[int]], out: list[int], *operands: int) -> np.ndarray:
        used = {label: k for k, label in enumerate(dict.fromkeys(label for group in labels for label in group))}
        arguments: list[Any] = []
        for group, place in zip(labels, operands, strict=True):
            arguments += [self.values[place], [used[label] for label in group]]
        return np.einsum(*arguments, [used[label] for label in out], optimize=len(operands) > 2)

    def do_add(self, *terms: int) -> np.ndarray:
        total = self.values[terms[0]]
        for place in terms[1:]:
            if total.ndim and self.values[place].ndim and total.shape != self.values[place].shape:
                raise ValueError(f"a sum of shapes {total.shape} and {self.values[place].shape}")
            total = total + self.values[place]
        return total

    def do_times(self, *factors: int) -> np.ndarray:
        product = np.asarray(1.0)
        for place in factors:
            if product.ndim and self.values[place].ndim and product.shape != self.values[place].shape:
                raise ValueError(f"an elementwise product of shapes {product.shape} and {self.values[place].shape}")
            product = product * self.values[place]
        return product

    def do_power(self, base: int, exponent: int) -> np.ndarray:
        return self.values[base] ** self.values[exponent]

    def do_call(self, name: str, place: int) -> np.ndarray:
        import torch

        function = self.env[name] if callable(self.env.get(name)) else self.functions[name]
        return function(torch.tensor(self.values[place])).numpy()

    def do_inverse(self, place: int) -> np.ndarray:
        return np.linalg.inv(self.values[place])

    def do_det(self, place: int) -> np.ndarray:
        return np.linalg.det(self.values[place])

    def do_matpow(self, place: int, exponent: int) -> np.ndarray:
        power = float(self.values[exponent])
        if power == int(power):
            return np.linalg.matrix_power(self.values[place], int(power))
        numbers, vectors = np.linalg.eig(self.values[place])
        return (vectors @ np.diag(numbers.astype(complex) ** power) @ np.linalg.inv(vectors)).real

    def do_kron(self, a: int, b: int) -> np.ndarray:
        return np.kron(self.values[a], self.values[b])

    def do_diagonal(self, place: int) -> np.ndarray:
        return np.diag(self.values[place].reshape(-1))

    def do_diagonal_of(self, place: int) -> np.ndarray:
        return np.diagonal(self.values[place]).reshape(-1, 1)

    def do_reshape(self, place: int, *sizes: int) -> np.ndarray:
        return self.values[place].reshape([self.whole(n) for n in sizes])

    def do_entry(self, place: int, row: int, column: int) -> np.ndarray:
        return self.values[place][self.whole(row), self.whole(column)]

    def do_max(self, place: int, axes: list[int]) -> np.ndarray:
        return self.values[place].max(axis=tuple(axes))

    def do_max_mask(self, place: int, axes: list[int]) -> np.ndarray:
        largest = self.values[place] == self.values[place].max(axis=tuple(axes), keepdims=True)
        return largest / largest.sum(axis=tuple(axes), keepdims=True)

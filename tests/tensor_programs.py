"""Random programs with arrays of rank 3 and 4, with ranges, joined and reshaped arrays.

    python tests/run_programs.py --tensors --count 2000 --seed 0
"""

from __future__ import annotations

from collections.abc import Callable

from pieces import ATOM, PRODUCT, SUM, UNARY, Misfit, Piece, Shape, Size, combine, is_column, is_matrix, product_range
from programs import Program

Rule = Callable[[Shape, int], Piece]


def _listed(shape: Shape) -> str:
    return ", ".join(map(str, shape))


class TensorProgram(Program):
    """Grows a problem whose arrays may have up to four axes."""

    def rules(self, shape: Shape) -> list[Rule]:
        if len(shape) > 2:
            return self._of_tensors(shape)
        more: list[Rule] = [self.ranged, self.joined, self.reread] if shape and shape != (1, 1) else []
        if is_matrix(shape):
            more += [self.of_a_tensor, self.of_a_tensor, self.of_a_tensor, self.lettered]
        if is_column(shape):
            more += [self.of_a_tensor]
        if not shape:
            more = [self.total] * 4
        return [*super().rules(shape), *more]

    def _of_tensors(self, shape: Shape) -> list[Rule]:
        rules: list[Rule] = [
            self.elementwise, self.unknown, self.add, self.add, self.times, self.times, self.divide, self.power,
            self.negative, self.choice, self.masked, self.extreme, self.scaled, self.product, self.product,
            self.product, self.batch_transposed, self.permuted, self.softmax_along, self.less_its_mean, self.ranged,
            self.joined, self.reread,
        ]  # fmt: skip
        if 1 in shape:
            rules += [self.reduced] * 6
        if shape[-1] == shape[-2] != 1:
            rules += [self.batch_inverse, self.batch_triangle]
        if shape[-2:] == (1, 1):
            rules += [self.of_each_matrix] * 3
        if len(shape) == 3 and 1 not in shape:
            rules += [self.lettered]
        return rules

    # ------------------------------------------------------------------ shapes
    def lead(self) -> Shape:
        return tuple(self.dimension() for _ in range(1 if self.random.random() < 0.75 else 2))

    def some_shape(self) -> Shape:
        if self.random.random() < 0.25:
            return super().some_shape()
        return (*self.lead(), self.dimension(), self.dimension())

    def operands(self, shape: Shape, budget: int) -> tuple[Piece, Piece]:
        if len(shape) < 3:
            return super().operands(shape, budget)
        other: Shape = shape
        kind = self.random.randrange(7)
        if kind == 0:
            other = ()
        elif kind == 1 and shape[-1] != 1:
            other = (shape[-1], 1)  # a column is the last axis
        elif kind == 2:
            other = shape[-2:] if shape[-1] != 1 and shape[-2] != 1 else ()
        elif kind == 3 and shape[-1] != 1:
            other = (1, shape[-1])
        elif kind in (4, 5):
            other = tuple(1 if self.random.random() < 0.5 else d for d in shape)
        a, b = self.grow(shape, budget), self.grow(other, self.random.randint(0, budget))
        if a.text == b.text:
            raise Misfit("the same twice")
        return (a, b) if self.random.random() < 0.65 else (b, a)

    def scaled(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        text, c = self.random.choice((("2*", 2.0), ("0.5*", 0.5), ("-2*", -2.0)))
        low, high = sorted((c * x.low, c * x.high))
        return combine(f"{text}{x.within(UNARY)}", shape, low, high, x, binds=PRODUCT)

    # ------------------------------------------------------------------ products
    def product(self, shape: Shape, budget: int) -> Piece:
        """A batched product: both with the batch, one of them a matrix, or with axes of length 1."""
        *lead, rows, columns = shape
        inner = self.dimension()
        first: Shape = (*lead, rows, inner)
        second: Shape = (*lead, inner, columns)
        kind = self.random.randrange(4)
        if kind == 0:
            second = (inner, columns)
        elif kind == 1 and rows != 1:
            first = (rows, inner)
        elif kind == 2:
            second = (*(1 if self.random.random() < 0.5 else d for d in lead), inner, columns)
        a = self.grow(first, budget)
        b = self.grow(second, self.random.randint(0, budget))
        low, high = product_range(a, b, 5)
        return combine(f"{a.within(PRODUCT)} @ {b.within(UNARY)}", shape, low, high, a, b, binds=PRODUCT)

    def lettered(self, shape: Shape, budget: int) -> Piece:
        k = self.dimension()
        if len(shape) == 3:
            b, i, j = shape
            letters, first, second = self.random.choice(
                (("bi,bj->bij", (b, i), (b, j)), ("bik,kj->bij", (b, i, k), (k, j)), ("kib,jk->bij", (k, i, b), (j, k)))
            )
        else:
            i, j = shape
            choices = (
                ("bik,bjk->ij", (k, i, k), (k, j, k)),
                ("kij,k->ij", (k, i, j), (k, 1)),
                ("jki,k->ij", (j, k, i), (k, 1)),
            )
            letters, first, second = self.random.choice(choices)
        a, c = self.grow(first, budget), self.grow(second, self.random.randint(0, budget))
        low, high = product_range(a, c, 20)
        return combine(f'einsum("{letters}", {a.text}, {c.text})', shape, low, high, a, c)

    # ------------------------------------------------------------------ the order of axes and entries
    def batch_transposed(self, shape: Shape, budget: int) -> Piece:
        x = self.grow((*shape[:-2], shape[-1], shape[-2]), budget)
        return combine(f"{x.within(ATOM)}.mT", shape, x.low, x.high, x)

    def permuted(self, shape: Shape, budget: int) -> Piece:
        order = list(range(len(shape)))
        self.random.shuffle(order)
        inner = tuple(shape[order.index(k)] for k in range(len(shape)))
        x = self.grow(inner, budget)
        return combine(f"transpose({x.text}, ({_listed(tuple(order))}))", shape, x.low, x.high, x)

    def reread(self, shape: Shape, budget: int) -> Piece:
        """reshape: an axis split or joined, or one of length 1 more or less."""
        k = self.random.randrange(len(shape))
        inner: Shape = (*shape[:k], 1, *shape[k:])
        size = shape[k]
        if isinstance(size, str) and "*" in size:
            inner = (*shape[:k], *(int(s) if s.isdigit() else s for s in size.split("*")), *shape[k + 1 :])
        elif k + 1 < len(shape) and all(isinstance(s, str) and s.isidentifier() for s in shape[k : k + 2]):
            if self.random.random() < 0.5:
                inner = (*shape[:k], f"{size}*{shape[k + 1]}", *shape[k + 2 :])
        elif 1 in shape and len(shape) > 3:
            inner = tuple(d for j, d in enumerate(shape) if j != shape.index(1))
        inner = (*inner, 1) if len(inner) == 1 else inner
        if len(inner) > 4 or inner == shape or inner[0] == 1 and len(inner) == 2:
            raise Misfit("no other shape")
        x = self.grow(inner, budget)
        return combine(f"reshape({x.text}, {_listed(shape)})", shape, x.low, x.high, x)

    def ranged(self, shape: Shape, budget: int) -> Piece:
        k = self.random.randrange(len(shape))
        size = shape[k]
        if size == 1 and is_column(shape) or isinstance(size, int) and size != 1:
            raise Misfit("no range")
        if size == 1:
            whole: Size = self.dimension()
            bounds = self.random.choice(("0:1", f"{whole} - 1:{whole}", "1:2", "-1:"))
        else:
            if not str(size).isidentifier():
                raise Misfit("no range")
            whole = f"2*{size}"
            bounds = self.random.choice((f"0:{size}", f"{size}:2*{size}", f":{size}", f"1:{size} + 1", f"-{size}:"))
        x = self.grow((*shape[:k], whole, *shape[k + 1 :]), budget)
        places = ", ".join(bounds if j == k else ":" for j in range(len(shape)))
        return combine(f"{x.within(ATOM)}[{places}]", shape, x.low, x.high, x)

    def joined(self, shape: Shape, budget: int) -> Piece:
        places = [k for k, d in enumerate(shape) if isinstance(d, str) and d.startswith("2*")]
        if not places or len(places) == 1 == len(shape):
            raise Misfit("no sum")
        k = places[0]
        half = (*shape[:k], str(shape[k])[2:], *shape[k + 1 :])
        a, b = self.grow(half, budget), self.grow(half, self.random.randint(0, budget))
        axis = k - len(shape) if len(shape) > 2 and self.random.random() < 0.5 else k
        text = f"concat({a.text}, {b.text}, axis={axis})"
        return combine(text, shape, min(a.low, b.low), max(a.high, b.high), a, b)

    # ------------------------------------------------------------------ along axes
    def reduced(self, shape: Shape, budget: int) -> Piece:
        """Axes of length 1 as sums, means, extremes or log-sum-exp along them."""
        ones = [k for k, d in enumerate(shape) if d == 1]
        axes = sorted(self.random.sample(ones, self.random.randint(1, len(ones))))
        x = self.grow(tuple(self.dimension() if k in axes else d for k, d in enumerate(shape)), budget)
        name = self.random.choice(("sum", "sum", "mean", "mean", "logsumexp", "max"))
        if name == "max" and (x.flat or not x.uses):
            raise Misfit("a kink")
        if self.random.random() < 0.4:
            axes = [k - len(shape) for k in axes]
        written = f"({_listed(tuple(axes))})" if len(axes) > 1 else str(axes[0])
        low, high = (x.low - 0.1, x.high + 3.5) if name == "logsumexp" else (x.low, x.high)
        if name == "sum":
            low, high = min(10 * x.low, x.low), max(10 * x.high, x.high)
        return combine(f"{name}({x.text}, axis={written})", shape, low, high, x)

    def softmax_along(self, shape: Shape, budget: int) -> Piece:
        axes = [k for k, d in enumerate(shape) if d != 1]
        if not axes:
            raise Misfit("no axis")
        axis = self.random.choice(axes)
        x = self.grow(shape, budget)
        written = axis - len(shape) if axis == len(shape) - 1 else axis
        return combine(f"softmax({x.text}, axis={written})", shape, 0.0, 1, x)

    def less_its_mean(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        if not x.uses or x.flat:
            raise Misfit("a constant")
        axes = sorted(self.random.sample(range(len(shape)), self.random.randint(1, 2)))
        written = f"({_listed(tuple(axes))})" if len(axes) > 1 else str(axes[0])
        if self.random.random() < 0.6:
            text = f"{x.text} - mean({x.text}, axis={written})"
            return combine(text, shape, x.low - x.high, x.high - x.low, x, binds=SUM)
        text = f"{x.within(PRODUCT)}/sqrt(mean({x.within(ATOM)}**2, axis={written}) + 0.1)"
        return combine(text, shape, -5, 5, x, binds=PRODUCT)

    # ------------------------------------------------------------------ each matrix
    def batch_gram(self, shape: Shape, budget: int) -> Piece:
        x = self.between((*shape[:-2], self.dimension(), shape[-1]), budget, -3, 3)
        if not x.uses or x.flat:
            raise Misfit("a constant")
        text = f"eye({shape[-1]}) + 0.1*{x.within(ATOM)}.mT @ {x.within(UNARY)}"
        return combine(text, shape, -15, 15, x, binds=SUM, flat=False)

    def batch_inverse(self, shape: Shape, budget: int) -> Piece:
        x = self.batch_gram(shape, budget)
        if self.random.random() < 0.5:
            return combine(f"inv({x.text})", shape, -3, 3, x)
        b = self.grow(shape, budget)
        return combine(f"solve({x.text}, {b.text})", shape, -5 * b.size, 5 * b.size, x, b)

    def batch_triangle(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        name = self.random.choice(("tril", "triu"))
        return combine(f"{name}({x.text})", shape, min(0, x.low), max(0, x.high), x, flat=True)

    def of_each_matrix(self, shape: Shape, budget: int) -> Piece:
        n = self.dimension()
        if self.random.random() < 0.5:
            x = self.grow((*shape[:-2], n, n), budget)
            return combine(f"trace({x.text})", shape, min(5 * x.low, x.low), max(5 * x.high, x.high), x)
        x = self.batch_gram((*shape[:-2], n, n), budget)
        return combine(f"logdet({x.text})", shape, -6, 12, x)

    # ------------------------------------------------------------------ back to matrices
    def of_a_tensor(self, shape: Shape, budget: int) -> Piece:
        """A matrix or column out of a tensor: one of the batch, or its sum along an axis in another shape."""
        if is_column(shape):
            x = self.grow((self.dimension(), shape[0], 1), budget)
            text = f"reshape(sum({x.text}, axis=0), {shape[0]}, 1)"
            return combine(text, shape, 5 * min(x.low, 0), 5 * max(x.high, 0), x)
        k = self.random.randrange(3)
        whole = (*shape[:k], self.dimension(), *shape[k:])
        x = self.grow(whole, budget)
        if self.random.random() < 0.5:
            places = ", ".join("1" if j == k else ":" for j in range(3))
            return combine(f"{x.within(ATOM)}[{places}]", shape, x.low, x.high, x)
        text = f"reshape(sum({x.text}, axis={k}), {_listed(shape)})"
        return combine(text, shape, 5 * min(x.low, 0), 5 * max(x.high, 0), x)

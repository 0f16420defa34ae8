"""Random typed programs: derivative problems in the form of tests/data/FORMAT.md, each from its seed alone.

    python tests/programs.py --count 2000 --seed 0          # JSON lines
    python tests/programs.py --count 2000 --check           # ... and every one must have a value (needs torch)

A program is grown from its result downwards: a shape is asked for, a function that gives this shape is drawn, and
its operands are asked for in turn. So every formula fits. Beside its text each piece carries bounds of its entries
(to stay inside domains and to keep values moderate) and whether it may equal a constant with positive probability
(then it must not stand at a kink, where the derivative is a matter of convention).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from matrix_rules import MatrixRules
from pieces import (
    ATOM,
    ELEMENTWISE,
    EXPONENTS,
    FLATTENING,
    KINKED,
    LARGEST,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    Misfit,
    Overgrown,
    Piece,
    Shape,
    combine,
    declared,
    is_column,
    is_matrix,
    is_row,
    is_square,
    product_range,
)

Problem = dict[str, Any]


class Program(MatrixRules):
    """Grows one problem from its result downwards."""

    # ------------------------------------------------------------------ growing
    def grow(self, shape: Shape, budget: int) -> Piece:
        """A formula of this shape, at most so deep (named intermediates counted through)."""
        self.steps += 1
        if self.steps > 300:
            raise Overgrown
        known = [d for d in self.definitions.values() if d.shape == shape and 0 < d.depth <= budget]
        if known and self.random.random() < 0.3:
            return self.random.choice(known)
        if budget <= 0 or (budget <= 2 and self.random.random() < 0.15):
            return self.leaf(shape)
        for _ in range(20):
            try:
                piece = self.tame(self.random.choice(self.rules(shape))(shape, budget - 1))
            except Misfit:
                continue
            return self.named(piece) if self.random.random() < 0.3 else piece
        return self.leaf(shape)

    def tame(self, p: Piece) -> Piece:
        """The piece with entries of moderate size."""
        if p.size <= LARGEST:
            return p
        kind = self.random.choice((0, 1, 2, 2, 2))
        if kind == 0:
            return combine(f"tanh(0.1*{p.within(POWER)})", p.shape, -1, 1, p)
        if kind == 1:
            return combine(f"atan({p.text})", p.shape, -1.6, 1.6, p)
        scale = next(s for s in (10, 100, 1000, 10**4, 10**9) if p.size / s <= LARGEST or s == 10**9)
        return combine(f"{p.within(PRODUCT)}/{scale}", p.shape, p.low / scale, p.high / scale, p, binds=PRODUCT)

    def rules(self, shape: Shape) -> list[Callable[[Shape, int], Piece]]:
        """The ways to make this shape; what stands twice is drawn twice as often."""
        common = [
            self.elementwise, self.elementwise, self.unknown, self.add, self.add, self.times, self.times, self.divide,
            self.power, self.scaled, self.negative, self.choice, self.extreme, self.masked, self.reciprocal,
        ]  # fmt: skip
        if not shape:
            return [self.total, self.total, self.inner, self.quadratic, self.square_number, self.kronecker_number,
                    self.entry_of, *common[:10]]  # fmt: skip
        if is_column(shape):
            return [*common, *[self.matmul] * 4, self.along, self.along, self.normalised, self.transpose, self.centred,
                    self.diagonal, self.column_of]  # fmt: skip
        if is_row(shape):
            return [*common, *[self.matmul] * 2, self.along, self.along, self.normalised, self.transpose, self.centred,
                    self.row_of]  # fmt: skip
        square = []
        if is_square(shape):
            square = [self.inverse, self.diagonal, self.gram, self.matrix_power, self.matrix_function, self.triangle]
        return [*common, *[self.matmul] * 5, self.transpose, self.spread, self.spread, self.normalised, self.centred,
                self.centred, *square]  # fmt: skip

    # ------------------------------------------------------------------ elementwise
    def between(self, shape: Shape, budget: int, low: float, high: float) -> Piece:
        """A piece whose entries lie surely between the two numbers."""
        p = self.grow(shape, budget)
        if low <= p.low and p.high <= high:
            return p
        if low > 0:
            q = self.positive(p)
        elif low <= -LARGEST:
            q = self.tame(p)
        else:
            c = next((c for c in (2, 1, 0.5) if c <= min(-low, high)), None)
            if c is None:
                raise Misfit("a range too narrow")
            q = combine(f"{c}*tanh({p.text})" if c != 1 else f"tanh({p.text})", shape, -c, c, p, binds=PRODUCT)
        if not (low <= q.low and q.high <= high):
            raise Misfit("outside the domain")
        return q

    def positive(self, p: Piece) -> Piece:
        """The piece made positive, at least 0.05."""
        if p.low >= 0.05:
            return p
        kind = self.random.randrange(4)
        if kind == 0 and p.size <= 15:
            return combine(f"{p.within(ATOM)}**2 + 1", p.shape, 1, p.size**2 + 1, p, binds=SUM)
        if kind == 1:
            return combine(f"sqrt({p.within(ATOM)}**2 + 1)", p.shape, 1, p.size + 1, p)
        if kind == 2:
            return combine(f"softplus({p.text}) + 0.1", p.shape, 0.1, max(p.high, 0) + 0.8, p, binds=SUM)
        return combine(f"1 + 0.5*sin({p.text})", p.shape, 0.5, 1.5, p, binds=SUM)

    def elementwise(self, shape: Shape, budget: int) -> Piece:
        name, low, high, image = self.random.choice(ELEMENTWISE)
        x = self.between(shape, budget, low, high)
        if not x.uses or (name in KINKED and x.flat):
            raise Misfit("a kink")
        return combine(f"{name}({x.text})", shape, *image(x.low, x.high), x, flat=x.flat or name in FLATTENING)

    def unknown(self, shape: Shape, budget: int) -> Piece:
        """An unknown function; its stand-ins in the oracle are tanh, a cubic, and sin with a parabola."""
        x = self.between(shape, budget, -3, 3)
        name = self.random.choice(("g", "g", "h"))
        if not x.uses:
            raise Misfit("a constant")
        if name not in self.functions:
            self.functions.append(name)
        prime = "_prime" if self.random.random() < 0.04 else ""
        return combine(f"{name}{prime}({x.text})", shape, -18, 14, x)

    def operands(self, shape: Shape, budget: int) -> tuple[Piece, Piece]:
        """Two operands that broadcast to this shape, in either order."""
        other: Shape = shape
        first: Shape = shape
        if shape and self.random.random() < 0.5:
            other = self.random.choice([(), (shape[0], 1), (1, shape[1])]) if is_matrix(shape) else ()
            if is_matrix(shape) and other and self.random.random() < 0.15:
                first, other = (shape[0], 1), (1, shape[1])
        a, b = self.grow(first, budget), self.grow(other, self.random.randint(0, budget))
        if a.text == b.text:
            raise Misfit("the same twice")
        return (a, b) if self.random.random() < 0.65 else (b, a)

    def add(self, shape: Shape, budget: int) -> Piece:
        a, b = self.operands(shape, budget)
        flat = a.flat and b.flat
        if self.random.random() < 0.6:
            text = f"{a.text} + {b.within(SUM)}"
            return combine(text, shape, a.low + b.low, a.high + b.high, a, b, binds=SUM, flat=flat)
        text = f"{a.text} - {b.within(PRODUCT)}"
        return combine(text, shape, a.low - b.high, a.high - b.low, a, b, binds=SUM, flat=flat)

    def times(self, shape: Shape, budget: int) -> Piece:
        a, b = self.operands(shape, budget)
        return combine(f"{a.within(PRODUCT)} * {b.within(UNARY)}", shape, *product_range(a, b), a, b, binds=PRODUCT)

    def divide(self, shape: Shape, budget: int) -> Piece:
        a, b = self.operands(shape, budget)
        b = self.positive(b)
        low, high = sorted(a.size / b.low * s for s in (-1, 1))
        text = f"{a.within(PRODUCT)}/{b.within(UNARY)}"
        return combine(text, shape, 0.0 if a.low >= 0 else low, high, a, b, binds=PRODUCT)

    def reciprocal(self, shape: Shape, budget: int) -> Piece:
        x = self.positive(self.grow(shape, budget))
        number = self.random.choice(("1", "2"))
        return combine(f"{number}/{x.within(UNARY)}", shape, 0.0, 2 / x.low, x, binds=PRODUCT)

    def power(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        if not x.uses:
            raise Misfit("a constant")
        if self.random.random() < 0.7:
            k = self.random.choice((2, 2, 3))
            low = 0.0 if k == 2 or x.low >= 0 else -(x.size**k)
            return combine(f"{x.within(ATOM)}**{k}", shape, low, x.size**k, x, binds=POWER)
        x = self.positive(x)
        exponent, value = self.random.choice(EXPONENTS)
        low, high = sorted((x.low**value, x.high**value))
        return combine(f"{x.within(ATOM)}**{exponent}", shape, low, high, x, binds=POWER)

    def scaled(self, shape: Shape, budget: int) -> Piece:
        """Times a number or divided by a dimension (which is drawn from 2 upwards)."""
        x = self.grow(shape, budget)
        sizes = sorted({s for s in x.shape if isinstance(s, str)})
        if sizes and self.random.random() < 0.4:
            text = f"{x.within(PRODUCT)}/{self.random.choice(sizes)}"
            return combine(text, shape, min(x.low / 2, x.low), max(x.high / 2, x.high), x, binds=PRODUCT)
        text, c = self.random.choice((("2*", 2.0), ("0.5*", 0.5), ("3*", 3.0), ("(1/2)*", 0.5), ("-2*", -2.0)))
        low, high = sorted((c * x.low, c * x.high))
        return combine(f"{text}{x.within(UNARY)}", shape, low, high, x, binds=PRODUCT)

    def negative(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        return combine(f"-{x.within(POWER)}", shape, -x.high, -x.low, x, binds=UNARY)

    def extreme(self, shape: Shape, budget: int) -> Piece:
        """maximum or minimum, of two pieces or of a piece and a number."""
        a = self.grow(shape, budget)
        b = Piece(text := self.random.choice(("0", "1", "0.5")), (), float(text), float(text))
        if self.random.random() < 0.6:
            b = self.grow(shape, budget)
        if a.flat or b.flat or a.text == b.text or not a.uses:
            raise Misfit("a kink")
        name = self.random.choice(("maximum", "minimum"))
        text = f"{name}({a.text}, {b.text})"
        return combine(text, shape, min(a.low, b.low), max(a.high, b.high), a, b, flat=not b.uses)

    def condition(self, shape: Shape, budget: int) -> Piece:
        c = self.grow(shape, budget)
        if c.flat or not c.uses:
            raise Misfit("a kink")
        return c

    def choice(self, shape: Shape, budget: int) -> Piece:
        """where(C > 0, a, b), a or b perhaps a number."""
        c = self.condition(shape, min(budget, 1))
        a, b = self.grow(shape, budget), self.grow(shape, budget)
        if self.random.random() < 0.3:
            b = Piece("0", (), 0, 0, flat=True)
        sign = self.random.choice((">", "<"))
        text = f"where({c.text} {sign} 0, {a.text}, {b.text})"
        return combine(text, shape, min(a.low, b.low), max(a.high, b.high), c, a, b, flat=a.flat or b.flat)

    def masked(self, shape: Shape, budget: int) -> Piece:
        c, x = self.condition(shape, min(budget, 1)), self.grow(shape, budget)
        mask = f"step({c.text})" if self.random.random() < 0.5 else f"({c.text} > 0)"
        text = f"{mask} * {x.within(UNARY)}"
        return combine(text, shape, min(0, x.low), max(0, x.high), c, x, binds=PRODUCT, flat=True)

    # ------------------------------------------------------------------ structure
    def matmul(self, shape: Shape, budget: int) -> Piece:
        inner = self.dimension()
        if is_matrix(shape) and self.random.random() < 0.12:
            inner = 1  # an outer product, column times row
        a = self.maybe_transposed((shape[0], inner), budget)
        b = self.maybe_transposed((inner, shape[1]), self.random.randint(0, budget))
        low, high = product_range(a, b, 5 if inner != 1 else 1)
        return combine(f"{a.within(PRODUCT)} @ {b.within(UNARY)}", shape, low, high, a, b, binds=PRODUCT)

    def maybe_transposed(self, shape: Shape, budget: int) -> Piece:
        if self.random.random() < 0.7:
            return self.grow(shape, budget)
        return self.transpose(shape, budget)

    def transpose(self, shape: Shape, budget: int) -> Piece:
        x = self.grow((shape[1], shape[0]), budget)
        return combine(f"{x.within(ATOM)}.T", shape, x.low, x.high, x)

    def spread(self, shape: Shape, budget: int) -> Piece:
        """A column or a row broadcast over a matrix."""
        a = self.grow(shape, budget)
        b = self.grow(self.random.choice([(shape[0], 1), (1, shape[1])]), self.random.randint(0, budget))
        if self.random.random() < 0.5:
            text = f"{a.text} + {b.within(SUM)}"
            return combine(text, shape, a.low + b.low, a.high + b.high, a, b, binds=SUM, flat=a.flat and b.flat)
        return combine(f"{a.within(PRODUCT)} * {b.within(UNARY)}", shape, *product_range(a, b), a, b, binds=PRODUCT)

    def along(self, shape: Shape, budget: int) -> Piece:
        """A column or row as a sum, mean or log-sum-exp along the other axis."""
        axis = 1 if is_column(shape) else 0
        full = (shape[0], self.dimension()) if axis else (self.dimension(), shape[1])
        name = self.random.choice(("sum", "sum", "mean", "logsumexp"))
        x = self.grow(full, budget)
        low, high = (x.low, x.high) if name == "mean" else (x.low - 0.1, x.high + 1.7)
        if name == "sum":
            low, high = min(5 * x.low, x.low), max(5 * x.high, x.high)
        return combine(f"{name}({x.text}, axis={axis})", shape, low, high, x)

    def normalised(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        axis = 0 if is_column(shape) else 1 if is_row(shape) else self.random.choice((0, 1))
        written = "" if is_column(shape) and self.random.random() < 0.3 else f", axis={axis}"
        return combine(f"softmax({x.text}{written})", shape, 0.0, 1, x)

    def centred(self, shape: Shape, budget: int) -> Piece:
        """x - mean(x), or x / its norm: a piece that meets itself again."""
        x = self.grow(shape, budget)
        if not x.uses or x.flat:
            raise Misfit("a constant")
        where = f", axis={self.random.choice((0, 1))}" if is_matrix(shape) and self.random.random() < 0.7 else ""
        if self.random.random() < 0.6:
            text = f"{x.text} - mean({x.text}{where})"
            return combine(text, shape, x.low - x.high, x.high - x.low, x, binds=SUM)
        return combine(f"{x.within(PRODUCT)}/norm({x.text})", shape, -1, 1, x, binds=PRODUCT)

    def diagonal(self, shape: Shape, budget: int) -> Piece:
        if is_column(shape):
            x = self.grow((shape[0], shape[0]), budget)
            return combine(f"diag({x.text})", shape, x.low, x.high, x)
        x = self.grow(self.random.choice([(shape[0], 1), (1, shape[0])]), budget)
        return combine(f"diag({x.text})", shape, min(0, x.low), max(0, x.high), x, flat=True)

    def gram(self, shape: Shape, budget: int) -> Piece:
        """A symmetric matrix with eigenvalues of at least 1 (or a positive definite variable)."""
        if self.random.random() < 0.25:
            return self.variable(shape, ("pd",))
        x = self.between((self.dimension(), shape[0]), budget, -3, 3)
        if not x.uses or x.flat:
            raise Misfit("a constant")
        scale = "" if x.size <= 1.7 else "0.1*"
        text = f"eye({shape[0]}) + {scale}{x.within(ATOM)}.T @ {x.within(UNARY)}"
        return combine(text, shape, -15, 15, x, binds=SUM, flat=False)

    def inverse(self, shape: Shape, budget: int) -> Piece:
        x = self.gram(shape, budget)
        return combine(f"inv({x.text})", shape, -3, 3, x)

    # ------------------------------------------------------------------ scalars
    def some_shape(self) -> Shape:
        n, m = self.dimension(), self.dimension()
        return self.random.choice([(n, m), (n, m), (n, m), (n, 1), (n, 1), (1, m), (n, n)])

    def total(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(self.some_shape(), budget)
        name = self.random.choice(("sum", "sum", "sum", "mean", "norm", "norm1", "logsumexp", "sum of squares"))
        if name in ("norm", "norm1") and (x.flat or not x.uses):
            raise Misfit("a kink")
        if name == "mean":
            return combine(f"mean({x.text})", (), x.low, x.high, x)
        if name == "logsumexp":
            return combine(f"logsumexp({x.text})", (), x.low - 0.1, x.high + 3.5, x)
        if name == "sum of squares":
            return combine(f"norm({x.text})**2", (), 0.0, 10 * x.size**2, x, binds=POWER)
        if name == "sum":
            return combine(f"sum({x.text})", (), min(10 * x.low, x.low), max(10 * x.high, x.high), x)
        return combine(f"{name}({x.text})", (), 0.0, 10 * x.size, x)

    def inner(self, shape: Shape, budget: int) -> Piece:
        n = self.dimension()
        a, b = self.grow((n, 1), budget), self.grow((n, 1), self.random.randint(0, budget))
        return combine(f"{a.within(ATOM)}.T @ {b.within(UNARY)}", (), *product_range(a, b, 5), a, b, binds=PRODUCT)

    def quadratic(self, shape: Shape, budget: int) -> Piece:
        n, m = self.dimension(), self.dimension()
        x, y = self.grow((n, 1), budget), self.grow((m, 1), budget)
        a = self.grow((n, m), self.random.randint(0, budget))
        low, high = product_range(a, y, 5)
        middle = Piece("", (), low, high)
        text = f"{x.within(ATOM)}.T @ {a.within(UNARY)} @ {y.within(UNARY)}"
        return combine(text, (), *product_range(x, middle, 5), x, a, y, binds=PRODUCT)

    def square_number(self, shape: Shape, budget: int) -> Piece:
        """trace, logdet or det."""
        n = self.dimension()
        name = self.random.choice(("trace", "trace", "logdet", "det"))
        if name == "trace":
            x = self.grow((n, n), budget)
            return combine(f"trace({x.text})", (), min(5 * x.low, x.low), max(5 * x.high, x.high), x)
        x = self.gram((n, n), budget)
        low, high = (-6, 12) if name == "logdet" else (0.0, 200)
        return combine(f"{name}({x.text})", (), low, high, x)


# ---------------------------------------------------------------------- problems
# What is asked for, and how often: the gradient of a number, a Jacobian of a column by a column, an array by a number,
# an array by anything, a second derivative, the gradient by the free entries of a structured matrix.
MODES = {"scalar": 8, "vector": 1, "by scalar": 1, "array": 2, "second": 2, "structured": 2}


def _problem(rng: random.Random, name: str, kind: type[Program]) -> Problem | None:
    """One problem, or None when this draw has nothing to differentiate by."""
    mode = rng.choices(list(MODES), list(MODES.values()))[0]
    program = kind(rng)
    shape: Shape = ()
    if mode == "array":
        shape = program.some_shape()
    elif mode == "vector":
        shape = (program.dimension(), 1)
    elif mode == "by scalar":
        program.variable(())
        shape = rng.choice([(), (program.dimension(), 1), (program.dimension(), program.dimension())])
    depths = {"second": (2, 3), "array": (2, 3, 4)}.get(mode, (4, 5, 6))
    result = program.grow(shape, rng.choice(depths))
    if mode == "array" and is_matrix(shape) and rng.random() < 0.3:
        result = program.kronecker_value(program.dimension(), program.dimension(), rng.choice((1, 2)))
    known = {**program.variables, **program.definitions}
    fits: Callable[[Shape], bool] = {"vector": is_column, "by scalar": lambda s: s == ()}.get(mode, lambda s: True)
    candidates = [n for n in sorted(result.uses) if n != result.text and fits(known[n].shape)]
    if result.depth < min(depths) or not candidates:
        return None
    inner = [n for n in candidates if n in program.definitions]
    wrt = rng.choice(inner if inner and rng.random() < 0.3 else candidates)
    used = [n for n in program.definitions if n in result.uses]
    variables = [n for n in program.variables if n in result.uses]
    problem: Problem = {
        "id": name,
        "source": "random program",
        "topic": f"random, {mode}",
        "variables": {n: declared(program.variables[n].shape) for n in variables},
    }
    assume = {n: t for n, t in program.assume.items() if n in problem["variables"]}
    if assume:
        problem["assume"] = assume
    if program.functions:
        problem["functions"] = dict.fromkeys(program.functions, "elementwise")
    if used:
        problem["definitions"] = [f"{n} = {program.bodies[n]}" for n in used]
    problem |= {"expression": result.text, "wrt": [wrt]}
    if mode == "second":
        inputs = [n for n in candidates if n in program.variables]
        if not inputs:
            return None
        problem["wrt"] = [rng.choice(inputs), rng.choice(inputs)]
    elif mode == "structured":
        squares = [n for n in candidates if n in program.variables and is_square(known[n].shape)]
        if not squares:
            return None
        problem["wrt"] = [rng.choice(squares)]
        tags = program.assume.get(problem["wrt"][0], [])
        kind = "pd" if "pd" in tags else rng.choice(("symmetric", "diagonal", "lower"))
        problem["assume"] = {**problem.get("assume", {}), problem["wrt"][0]: [kind]}
        problem["structured"] = True
    named = [n for n in used if n not in (wrt, result.text)]
    if mode == "scalar" and named and rng.random() < 0.3:
        problem["adjoints"] = {f"d{n}": n for n in named if rng.random() < 0.7}
    problem["expected"] = None
    return problem


def program(seed: int, kind: type[Program] = Program) -> Problem:
    """The random program of a seed."""
    rng = random.Random(seed)
    while True:
        try:
            problem = _problem(rng, f"random-{seed}", kind)
        except (Misfit, Overgrown):
            continue
        if problem is not None:
            return problem


def programs(count: int, seed: int = 0, kind: type[Program] = Program) -> Iterator[Problem]:
    """`count` programs; program k of seed s is that of seed 1,000,000 s + k, so that one can be had alone."""
    return (program(1_000_000 * seed + k, kind) for k in range(count))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="does every program have a value and a derivative?")
    args = parser.parse_args(argv)
    if not args.check:
        for problem in programs(args.count, args.seed):
            print(json.dumps(problem))
        return 0
    import corpus

    oracle = corpus.oracle()
    failed = 0
    for problem in programs(args.count, args.seed):
        try:
            oracle.evaluate(problem)
        except Exception as error:
            failed += 1
            print(f"{problem['id']}: {type(error).__name__}: {error}\n    {json.dumps(problem)}")
    print(f"{args.count} programs, {failed} without a value")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

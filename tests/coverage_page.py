"""docs/coverage.md, made from the table of functions and from what whence answers now.

    python tests/coverage_page.py            prints the page
    python tests/coverage_page.py --write    writes it

Nothing in it is written by hand but the sentences: every shape, answer, layout and refusal is computed here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import coverage_asked as asked
from coverage_asked import Question
from solving import ROOT
from test_ops_numbers import INFIX
from whence.engine import Answer, Engine
from whence.expr.values import FullShape
from whence.messages.errors import WhenceError
from whence.ops import arrays, elementwise, matrices, reductions
from whence.ops.entry import Example, Op
from whence.ops.signature import signature
from whence.ops.table import TABLE
from whence.read.declarations import ASSUMPTIONS, items
from whence.read.problem import problem_from_json
from whence.shapes.words import is_scalar, text, words

PAGE = ROOT / "docs" / "coverage.md"
FAMILIES = (
    (elementwise, elementwise.ELEMENTWISE),
    (reductions, reductions.REDUCTIONS),
    (arrays, arrays.ARRAYS),
    (matrices, matrices.MATRICES),
)
KINDS = ("number", "column", "row", "matrix")
MATRIX, VEC, SUM = "matrix", "vec", "index sum"
BY_VALUE = "†"
BREAK = "<br>"
STALE = "docs/coverage.md is out of date: python tests/coverage_page.py --write, and read the difference"

HEAD = f"""# What whence covers

<!-- Made by `python tests/coverage_page.py --write`; never edited by hand. tests/test_coverage_page.py compares. -->

Every answer, shape and refusal on this page was computed by whence when the page was made, and every answer
verified as all answers are: exactly, modulo random primes, or, where it carries a {BY_VALUE}, by difference
quotients at 50 digits alone.

Formulas are in the canonical language: `@` is the matrix product, `*` and `/` go entry by entry, `.T` transposes.
`x: n` is a column, `r: 1 x n` a row, `X: n x m` a matrix; two letters are two sizes.

1. [Every function](#1-every-function)
2. [Every pairing](#2-every-pairing-of-a-number-a-column-a-row-and-a-matrix)
3. [Structured variables](#3-structured-variables)
4. [What is refused, and why](#4-what-is-refused-and-why)
"""

FUNCTIONS = """## 1. Every function

The rule is the differential: `Y` is the value of the function, `δX` a small change of `X`, and `δY` what it does to
the value, products of two small changes dropped. *Needs* is what must hold for the rule; it is carried into the
certificate of an answer. The layout of an answer is `matrix`, the shape of the variable, unless another is said
(section 2).
"""

PAIRINGS = f"""## 2. Every pairing of a number, a column, a row and a matrix

The derivative of a number has the shape of the variable, and the derivative by a number that of the value. Else the
axes of the value come first, then those of the variable, axes of length 1 left out. More than two axes are written
in one of two ways:

- `{VEC}`: as the matrix d vec(F) / d vec(X).T, columns stacked, a Kronecker product most often;
- `{SUM}`: as sums of `einsum`, where no such matrix of plain products was found; the letters
  after the arrow are the axes, in order.

The shape of the derivative, in the layout `{MATRIX}`, of what stands on the left by what stands on top:
"""

EXAMPLES = """Examples of each:
"""

SECOND = f"""### Second derivatives

The axes of the second variable follow those of the first. In `{VEC}` the rows are vec over the value and the first
variable, the value running fastest; the columns are vec of the second.
"""

TENSORS = """### Tensors, ranges, and what moves entries about

Arrays of any rank, as NumPy has them: products by the last two axes, broadcasting from the last axis, ranges that keep
their axis.
"""

STRUCTURED = """## 3. Structured variables

A derivative by a symmetric `X` treats its entries as independent, unless `structured` is asked for (the field of a
problem, or `structured=True` in Python). Then it is by the free entries of `X`: the gradient `J` of independent
entries is projected.
"""

COOKBOOK = """**Why the Cookbook (2012, section 2.8) has `J + J.T - J*eye(n)` for a symmetric X.** An entry off the
diagonal stands in two places, [i, j] and [j, i], so a change of this one number changes the cost through both and its
derivative is `J[i,j] + J[j,i]`. An entry on the diagonal stands in one place only, but `J + J.T` counts it twice, so
`J*eye(n)` takes it off once.

**The inner product.** The projected `G` is to be paired with the change over the free entries, each counted once:
the change of the cost is the sum of `G[i,j] * δX[i,j]` over i ≤ j for a symmetric (or pd) `X`, over i = j for a
diagonal one, over i ≥ j for a lower triangular one. So it is not the gradient for ⟨G, δX⟩ = `sum(G*δX)` over all
entries: for a symmetric `X` that would be `(J + J.T)/2`, and a step of gradient descent along the one is not a step
along the other.
"""

REFUSED = """## 4. What is refused, and why

Nothing is guessed: what is not covered is refused with a code, and `whence explain --code CODE` says more about
each. Places are line:column of the formula.
"""


@dataclass(frozen=True)
class Solved:
    """A question with what whence said: a verified answer, or an error."""

    question: Question
    result: Answer | WhenceError
    value_shape: FullShape = ()
    variable_shapes: tuple[FullShape, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Number, column, row or matrix: of the value, then of each variable."""
        return tuple(kind(shape) for shape in (self.value_shape, *self.variable_shapes))

    @property
    def answer(self) -> Answer:
        if isinstance(self.result, WhenceError):
            raise self.result
        return self.result

    @property
    def layout(self) -> str:
        return self.answer.layout if self.answer.closed_form else SUM


@cache
def solved(question: Question) -> Solved:
    """What whence says to a question, asked as a line of a batch."""
    try:
        problem = problem_from_json(problem_of(question))
        engine = Engine(problem.model)
        result = engine.derive(problem.expression, problem.wrt, structured=problem.structured)
    except WhenceError as error:
        return Solved(question, error)
    shapes = tuple(engine.shapes[name] for name in problem.wrt)
    return Solved(question, result, engine.table.shape_of(problem.expression), shapes)


def problem_of(question: Question) -> dict[str, Any]:
    """The question as a line of a batch."""
    return {
        "id": "coverage",
        "variables": declared(question.shapes),
        "assume": declared(question.assume),
        "expression": question.expression,
        "wrt": question.wrt.split(),
        "structured": question.structured,
    }


def declared(shapes: str) -> dict[str, list[str]]:
    """ "X: n x m, t: scalar" as a problem lists shapes, "X: positive" as it lists assumptions."""
    listed = {name: rest.split(" x ") for name, _, rest, _ in items(shapes, 1, 0)} if shapes else {}
    return {n: [word.strip(" ()") for word in sizes if word.strip() != "scalar"] for n, sizes in listed.items()}


def kind(shape: FullShape) -> str:
    """number, column, row, matrix or tensor."""
    return "number" if is_scalar(shape) else words(shape).split()[1]


# ------------------------------------------------------------ Markdown
def code(formula: str) -> str:
    """A formula as code; a bar would end the cell of a table."""
    return "`" + formula.replace("|", "\\|") + "`"


def shown_shape(shape: FullShape) -> str:
    return text(shape).replace(" x ", " × ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def formula_of(found: Solved) -> str:
    """The answer as code, marked where it was checked by value alone."""
    mark = "" if found.answer.verified == "exact" else f" {BY_VALUE}"
    return code(found.answer.formula) + mark


def refusal_of(error: WhenceError) -> str:
    place = f" at {error.line}:{error.column}" if error.line else ""
    return f"{code(error.code)}{place}: {prose(error.message)}"


def prose(sentence: str) -> str:
    """A sentence that Markdown shows as it is."""
    return sentence.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def where(question: Question) -> str:
    assumed = f", with {code(question.assume)}" if question.assume else ""
    return code(question.shapes) + assumed


# ------------------------------------------------------------ 1. every function
def functions() -> str:
    named = [op.name for _, family in FAMILIES for op in family]
    assert sorted(named) == sorted(TABLE), "a family of the table is missing here"
    parts = [FUNCTIONS, f"{len(named)} functions, in the order of the table (`src/whence/ops/`).\n"]
    head = ("function", "what it is", "rule", "needs; at a kink", "an example, its shapes, and the answer")
    for module, family in FAMILIES:
        title = (module.__doc__ or "").partition(":")[0].strip().rstrip(".")
        parts += [f"### {title}\n", table(head, (function_row(op) for op in family))]
    return "\n".join(parts)


def function_row(op: Op) -> tuple[str, ...]:
    needs = [code(n) if any(sign in n for sign in "<>=(") else n for n in op.needs]
    conditions = "; ".join(["; ".join(needs), op.kink] if needs and op.kink else [*needs, op.kink]).strip("; ")
    return code(call(op)), prose(op.sentence), BREAK.join(rule(op)), conditions, example(op)


def call(op: Op) -> str:
    """How the function is called: f(X[, axis]); a star marks an argument that may be repeated."""
    if op.name in INFIX:
        return INFIX[op.name]
    how = signature(op)
    arguments = ", ".join(("*" if p.many else "") + p.name for p in how.ways[0].parameters)
    if not how.axis:
        return f"{op.name}({arguments})"
    if how.axis_default is not None:
        return f"{op.name}({arguments}, axis={how.axis_default})"
    return f"{op.name}({arguments}, axis)" if how.axis_required else f"{op.name}({arguments}[, axis])"


def rule(op: Op) -> list[str]:
    """The lines that say how the function is differentiated."""
    out = [f"short for {code(op.expands)}"] if op.expands else []
    texts = (
        ("", op.differential),
        ("of the whole of a matrix: ", op.differential_whole),
        ("along several axes: ", op.differential_several),
        ("also written ", op.forward),
    )
    out += [f"{when}{code('δY = ' + line)}" for when, line in texts if line]
    if op.zero:
        out.append(op.undifferentiable)
    if not op.differential and not op.zero and "differential" in op.missing:
        out.append(op.missing["differential"])
    return out + [f"none by {code(name)}: {reason}" for name, reason in op.no_rule.items()]


def example(op: Op) -> str:
    """The entry's first right example as whence answers it; where it refuses that, the refusal."""
    chosen = op.right[0]
    found = solved(question_of(chosen))
    asks = f"{code(chosen.expression)} by {code(chosen.wrt)}, {where(found.question)}"
    if isinstance(found.result, WhenceError):
        return f"{asks}{BREAK}refused: {refusal_of(found.result)}"
    layout = "" if found.layout == MATRIX else f" ({found.layout})"
    return f"{asks}{BREAK}= {formula_of(found)}{layout}"


def question_of(example: Example) -> Question:
    return Question(example.expression, example.wrt, example.shapes, example.assume)


# ------------------------------------------------------------ 2. every pairing
def pairings() -> str:
    first = [solved(q) for q in asked.FIRST_DERIVATIVES]
    second = [solved(q) for q in asked.SECOND_DERIVATIVES]
    tensors = [solved(q) for q in asked.TENSORS]
    parts = (PAIRINGS, grid(first), EXAMPLES, pairing_table(first), SECOND, pairing_table(second))
    parts = (*parts, TENSORS, pairing_table(tensors))
    return "\n".join(parts)


def grid(all_found: list[Solved]) -> str:
    """The shape of every pairing, from the first example of each; their sizes are the same in a row and in a column."""
    shapes: dict[tuple[str, ...], str] = {}
    sizes: dict[tuple[str, str], str] = {}
    for found in all_found:
        if found.kinds not in shapes:
            shapes[found.kinds] = shown_shape(found.answer.shape)
            for place, k, shape in zip("vx", found.kinds, (found.value_shape, *found.variable_shapes), strict=True):
                label = k if k == KINDS[0] else f"{k} ({shown_shape(shape)})"
                assert sizes.setdefault((place, k), label) == label, "other sizes than in the pairings before"
    head = ("", *(f"by a {sizes['x', k]}" for k in KINDS))
    return table(head, ([f"**{sizes['v', v]}**", *(shapes[v, x] for x in KINDS)] for v in KINDS))


def pairing_table(all_found: list[Solved]) -> str:
    """Sorted as the kinds are, the value first."""
    kinds = [*KINDS, "tensor"]
    ordered = sorted(all_found, key=lambda s: [kinds.index(k) if k in kinds else len(kinds) for k in s.kinds])
    rows = [
        (
            f"{s.kinds[0]} by {' and '.join(s.kinds[1:])}",
            f"{code(s.question.expression)} by {', '.join(map(code, s.question.wrt.split()))}",
            where(s.question),
            shown_shape(s.answer.shape),
            formula_of(s),
            s.layout,
        )
        for s in ordered
    ]
    return table(("pairing", "example", "where", "shape", "answer", "layout"), rows)


# ------------------------------------------------------------ 3. structured variables
def structures() -> str:
    projections = {word: solved(structured(asked.PROJECTED, word)) for word in ASSUMPTIONS}
    plain = solved(asked.PROJECTED).answer.formula
    rows = [(word, formula_of(found)) for word, found in projections.items() if found.answer.formula != plain]
    unchanged = ", ".join(code(word) for word, found in projections.items() if found.answer.formula == plain)
    examples = [structured_row(question, word) for word in asked.STRUCTURES for question in asked.STRUCTURED]
    return "\n".join(
        [
            STRUCTURED,
            table(("X is assumed", "the projection of J"), rows),
            f"The other assumptions project nothing: with {unchanged} the entries stay independent.\n",
            COOKBOOK,
            table(("X is", "example", "entries independent", "by the free entries", "layout"), examples),
        ]
    )


def structured(question: Question, word: str) -> Question:
    return replace(question, assume=f"X: {word}", structured=True)


def structured_row(question: Question, word: str) -> tuple[str, ...]:
    plain = solved(replace(question, assume=f"X: {word}"))
    free = solved(structured(question, word))
    layouts = dict.fromkeys((plain.layout, free.layout))
    asks = f"{code(question.expression)}, {code(question.shapes)}"
    return word, asks, formula_of(plain), formula_of(free), ", ".join(layouts)


# ------------------------------------------------------------ 4. what is refused
def refusals() -> str:
    parts = [REFUSED]
    for group in asked.REFUSED:
        rows = [refused_row(solved(question)) for question in group.questions]
        parts += [f"### {group.title}\n", group.reason + "\n", table(("asked", "where", "what whence says"), rows)]
    return "\n".join(parts)


def refused_row(found: Solved) -> tuple[str, ...]:
    question = found.question
    if not isinstance(found.result, WhenceError):
        raise AssertionError(f"{question} is answered now: take it out of REFUSED in tests/coverage_asked.py")
    assert found.result.code != "internal", question
    by = ", ".join(map(code, question.wrt.split())) + (" (structured)" if question.structured else "")
    return f"{code(question.expression)} by {by}", where(question), refusal_of(found.result)


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, functions(), pairings(), structures(), refusals()]).rstrip("\n") + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())

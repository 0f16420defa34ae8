"""Formulas as Unicode, ASCII and LaTeX text: the conventions, the corpora, and that no two trees look the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

import corpus
from whence.messages.errors import WhenceError
from whence.notation.latex import latex_name, to_latex
from whence.notation.unicode import display_name, to_unicode
from whence.ops.signature import signature
from whence.ops.table import TABLE
from whence.read.canonical import to_text
from whence.read.letters import fold
from whence.read.parser import parse_expression
from whence.read.problem import problem_from_json
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Transpose
from whence.read.walk import children
from whence.shapes.dims import Dim
from whence.shapes.infer import infer

ShapeOf = Callable[[Expr], tuple]


def shapes_by_name(**declared: tuple) -> ShapeOf:
    """Shapes from declarations, for formulas without functions of whole arrays."""
    item = {"variables": {n: list(s) for n, s in declared.items()}, "expression": next(iter(declared)), "wrt": []}
    item["wrt"] = [next(iter(declared))]
    item["functions"] = {"g1": "elementwise", "g": "elementwise"}
    table = infer(problem_from_json({"id": "shapes", **item}).model)
    return lambda expr: table.shape_of(expr)


NETWORK = shapes_by_name(
    X=("n0", "m"), W1=("n1", "n0"), b1=("n1",), Z1=("n1", "m"), A1=("n1", "m"), dZ1=("n1", "m"),
    W2=("n2", "n1"), b2=("n2",), Z2=("n2", "m"), A2=("n2", "m"), dZ2=("n2", "m"), Y=("n2", "m"),
    S=("n0", "n0"), x=("n0",), w=("n0",), y=(1, "m"), lam=(), sigma=(), y_hat=("n2", "m"), K=("n0", "n0"), p=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("canonical", "text", "plain", "latex"),
    [
        (
            "W2.T @ dZ2 * g1_prime(Z1)",
            "W2ᵀ dZ2 ⊙ g1′(Z1)",
            "W2^T dZ2 * g1'(Z1)",
            r"W_2^{\top} \mathrm{d}Z_2 \odot g_1'(Z_1)",
        ),
        ("dZ2 @ A1.T", "dZ2 A1ᵀ", "dZ2 A1^T", r"\mathrm{d}Z_2 A_1^{\top}"),
        ("(A2 - Y)/m", "(A2 - Y)/m", "(A2 - Y)/m", r"\frac{A_2 - Y}{m}"),
        ("1/m", "1/m", "1/m", r"\frac{1}{m}"),
        ("1/m*dZ2 @ A1.T", "(1/m) dZ2 A1ᵀ", "(1/m) dZ2 A1^T", r"\frac{1}{m} \mathrm{d}Z_2 A_1^{\top}"),
        ("-dZ2 @ A1.T/m", "-dZ2 A1ᵀ/m", "-dZ2 A1^T/m", r"-\frac{\mathrm{d}Z_2 A_1^{\top}}{m}"),
        (
            "(W2.T @ dZ2 * g1_prime(Z1)) @ X.T",
            "(W2ᵀ dZ2 ⊙ g1′(Z1)) Xᵀ",
            "(W2^T dZ2 * g1'(Z1)) X^T",
            r"(W_2^{\top} \mathrm{d}Z_2 \odot g_1'(Z_1)) X^{\top}",
        ),
        ("sum(dZ2, axis=1)", "sum(dZ2, axis=1)", "sum(dZ2, axis=1)", r"\sum_{\text{axis }1} \mathrm{d}Z_2"),
        ("1 - A1**2", "1 - A1²", "1 - A1^2", "1 - A_1^{2}"),
        ("S**2", "S^⊙2", "S**2", r"S^{\odot 2}"),
        ("matpow(S, 2)", "S²", "S^2", "S^{2}"),
        ("lam*W1 + x @ x.T/p", "λ W1 + x xᵀ/p", "lam W1 + x x^T/p", r"\lambda W_1 + \frac{x x^{\top}}{p}"),
        ("inv(S).T @ x", "(S⁻¹)ᵀ x", "(S^-1)^T x", r"(S^{-1})^{\top} x"),
        ("(x.T @ x)**-1", "(xᵀ x)⁻¹", "(x^T x)^-1", r"(x^{\top} x)^{-1}"),
        ("x*2", "x · 2", "x * 2", r"x \cdot 2"),
        ("sigma*(x + w)", "σ · (x + w)", "sigma (x + w)", r"\sigma \cdot (x + w)"),
        ("K @ (x + w)", "K · (x + w)", "K (x + w)", "K (x + w)"),
        ("sigmoid(Z2) - y_hat", "σ(Z2) - ŷ", "sigmoid(Z2) - y_hat", r"\sigma(Z_2) - \hat{y}"),
        ("sigmoid_prime(Z2)", "σ′(Z2)", "sigmoid'(Z2)", r"\sigma'(Z_2)"),
        ("Y/A2 * Y", "(Y/A2) ⊙ Y", "(Y/A2) * Y", r"\frac{Y}{A_2} \odot Y"),
        ("norm(x)**2", "‖x‖²", "norm(x)^2", r"\left\|x\right\|^{2}"),
        ("logdet(S)*x", "(log det(S)) x", "(log det(S)) x", r"(\log\det(S)) x"),
        ("x - -w", "x - (-w)", "x - (-w)", "x - (-w)"),
        ("A1*(Z1 > 0)", "A1 ⊙ (Z1 > 0)", "A1 * (Z1 > 0)", r"A_1 \odot [Z_1 > 0]"),
        ("softmax(A2, axis=1)", "softmax(A2, axis=1)", "softmax(A2, axis=1)", None),
        ("outer(x, w)", "x wᵀ", "x w^T", r"x w^{\top}"),
        ("outer(y, y)", "outer(y, y)", "outer(y, y)", None),  # of rows: x wᵀ would be a number
        ("kron(S, W1) @ vec(S)", "(S ⊗ W1) vec(S)", "kron(S, W1) vec(S)", None),
        ("A1[0:n1, :]", "A1[0:n1, :]", "A1[0:n1, :]", None),
    ],
)
def test_conventions(canonical: str, text: str, plain: str, latex: str | None) -> None:
    tree = parse_expression(canonical, dialect="canonical")
    assert to_unicode(tree, NETWORK) == text
    assert to_unicode(tree, NETWORK, ascii=True) == plain
    if latex is not None:
        assert to_latex(tree, NETWORK) == latex


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dZ2", r"\mathrm{d}Z_2"),
        ("dtheta1", r"\mathrm{d}\theta_1"),
        ("W12", "W_{12}"),
        ("a1_2", "a_{1,2}"),
        ("X_train", r"X_{\mathrm{train}}"),
        ("dim", r"\mathit{dim}"),
        ("delta2", r"\delta_2"),
        ("δX", r"\delta X"),
        ("w2₁₂", "w_{2;12}"),
        ("∂A1/∂W1", r"\frac{\partial A_1}{\partial W_1}"),
        ("∂²J/∂w ∂w", r"\frac{\partial^{2} J}{\partial w \partial w}"),
    ],
)
def test_names_in_latex(name: str, shown: str) -> None:
    assert latex_name(name) == shown


@pytest.mark.parametrize("name", ["lam", "dtheta1", "y_hat", "theta_bar", "Sigma", "eps", "W2", "beta_1", "dot", "ell"])
def test_displayed_names_are_read_as_the_same_name(name: str) -> None:
    assert fold(display_name(name), 1, 1) == name


# ---------------------------------------------------------------- the corpora


def printable(item: dict[str, Any]) -> tuple[list[Expr], ShapeOf] | None:
    """All formulas of a problem, and the shapes; None where the shapes do not know a formula."""
    problem = problem_from_json(item)
    table = infer(problem.model)
    extra = {a: table.shape(of) for a, of in problem.adjoints.items()}
    trees = [s.expression for s in problem.model.statements] + [problem.expression]
    if item["expected"]:
        known = [*item["variables"], *problem.model.targets, *problem.adjoints]
        trees.append(
            parse_expression(item["expected"], names=known, functions=problem.model.functions, dialect="canonical")
        )
    return trees, lambda expr: table.shape_of(expr, extra=extra)


def parts(expr: Expr) -> Iterator[Expr]:
    stack: list[Any] = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Binary | Call | Negative | Transpose | Name | Number):
            yield node
        stack.extend(children(node))


DEFINED = {"outer": "A @ B.T", "solve": "inv(A) @ B", "hadamard": "A*B", "power": "A**B"}


def normal(tree: Any) -> Any:
    """Functions that the table writes in terms of others are what they are written as; X.mT is X.T."""
    if isinstance(tree, Call):
        arguments = tuple(map(normal, tree.arguments))
        if tree.name in DEFINED:
            a, b = arguments
            right = Transpose(b) if tree.name == "outer" else b
            left = Call("inv", (a,)) if tree.name == "solve" else a
            sign = {"hadamard": "*", "power": "**"}.get(tree.name, "@")
            return Binary(sign, left, right)
        if tree.name == "matpow" and arguments[1] == Negative(Number(Fraction(1))):
            return Call("inv", arguments[:1])
        return Call(tree.name, arguments, tuple((k, normal(v)) for k, v in tree.keywords))
    if isinstance(tree, Binary):
        return Binary(tree.operator, normal(tree.left), normal(tree.right))
    if isinstance(tree, Negative):
        return Negative(normal(tree.operand))
    if isinstance(tree, Transpose):
        return Transpose(normal(tree.operand))
    return tree


def test_corpora_are_printed_and_no_two_formulas_look_the_same() -> None:
    """Every formula of every problem, and every part of it, in three notations."""
    counted = 0
    for item in corpus.problems():
        found = printable(item)
        assert found is not None
        trees, shape_of = found
        texts: dict[tuple[int, str], Expr] = {}
        for tree in trees:
            for part in parts(tree):
                try:
                    shape_of(part)
                except WhenceError:  # the name of a function as an argument, a letter as an index
                    continue
                shown = [to_unicode(part, shape_of), to_unicode(part, shape_of, ascii=True)]
                assert shown[1].isascii(), item["id"]
                assert_latex(to_latex(part, shape_of))
                for k, text in enumerate(shown):
                    other = texts.setdefault((k, text), part)
                    assert normal(other) == normal(part), (item["id"], text, to_text(other), to_text(part))
                counted += 1
    assert counted > 5_000


def assert_latex(text: str) -> None:
    """Braces and brackets match, nothing has two superscripts, every superscript stands on something."""
    depth = 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, text
    assert depth == 0 and text.count(r"\left") == text.count(r"\right"), text
    assert not re.search(r"\^(\{[^{}]*\}|\w)\^", text) and not re.search(r"(^|[ ({])\^", text), text
    assert text.isascii(), text


# ---------------------------------------------------------------- every small tree


def grown(leaves: list[Expr]) -> list[Expr]:
    out: list[Expr] = []
    for leaf in leaves:
        out += [Negative(leaf), Transpose(leaf), Binary("**", leaf, Number(Fraction(2))), Call("g", (leaf,))]
    for a, b in product(leaves, leaves):
        out += [Binary(sign, a, b) for sign in "+-*/@"]
    return out


SQUARE = shapes_by_name(A=("n", "n"), B=("n", "n"), m=())
WIDE = shapes_by_name(A=("n", "k"), B=("n", "k"), m=())


@pytest.mark.parametrize("shape_of", [SQUARE, WIDE])
def test_every_small_tree_has_a_text_of_its_own_that_reads_back(shape_of: ShapeOf) -> None:
    """All trees of two levels over A, B, m and 2. What the lecture dialect reads, it reads the same."""
    leaves: list[Expr] = [Name("A"), Name("m"), Number(Fraction(2))]
    small = [tree for tree in grown([*leaves, Name("B")]) if has_shape(tree, shape_of)]
    trees = small + [tree for tree in grown([*leaves, *small[::2]]) if has_shape(tree, shape_of)]
    texts: dict[str, Expr] = {}
    read = 0
    for tree in trees:
        for text in (to_unicode(tree, shape_of), to_unicode(tree, shape_of, ascii=True)):
            other = texts.setdefault(text, tree)
            assert other == tree, (text, to_text(other), to_text(tree))
            back = reread(text)
            if back is not None:
                assert back == tree, (text, to_text(tree), to_text(back))
                read += 1
    assert read > len(trees)


def has_shape(tree: Expr, shape_of: ShapeOf) -> bool:
    try:
        shape_of(tree)
    except WhenceError:
        return False
    return True


def reread(text: str) -> Expr | None:
    try:
        return parse_expression(text, dialect="lecture", names=("A", "B"), functions=("g",))
    except WhenceError:
        return None


# ---------------------------------------------------------------- reading back


@pytest.mark.parametrize(
    "canonical",
    [
        "W1 @ X + b1", "g1(Z1)", "W2 @ A1 + b2", "sigmoid(Z2)", "-(Y*log(A2) + (1 - Y)*log(1 - A2))",
        "(A2 - Y)/m", "W2.T @ dZ2 * g1_prime(Z1)", "dZ1 @ X.T", "sum(dZ1, axis=1)", "dZ2 @ A1.T", "1/m*dZ2 @ A1.T",
        "W2.T @ dZ2 * (1 - A1**2)", "-(Y/A2 - (1 - Y)/(1 - A2))/m", "w.T @ X + b", "X @ (A - Y).T/m",
        "2*X.T @ (X @ w - y)", "lam*w + X @ dz.T", "dA1 * (Z1 > 0)", "dZ2 @ softmax(Z2, axis=0).T",
    ],
)  # fmt: skip
def test_reads_back(canonical: str) -> None:
    """Formulas of the two-layer network and of logistic regression."""
    tree = parse_expression(canonical, dialect="canonical")

    def shape_of(expr: Expr) -> tuple:
        number = expr in (Name("m"), Name("lam"), Binary("/", Number(Fraction(1)), Name("m")))
        return () if number else ("n", "k")

    for text in (to_unicode(tree, shape_of), to_unicode(tree, shape_of, ascii=True)):
        assert parse_expression(text, dialect="lecture", functions=("g1",)) == tree, text


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_function_is_printed_with_all_its_arguments(name: str) -> None:
    """In all notations, with and without an axis; nothing of the entry's text is left unfilled."""
    op = TABLE[name]
    read = signature(op)
    for way in read.ways:
        letters = iter("ABCDE")
        arguments = tuple(Name(next(letters) + "9") for _ in way.parameters)
        for keywords in [(), (("axis", Number(Fraction(1))),)] if read.axis else [()]:
            call = Call(name, arguments, keywords)
            for shape in (("n", "n"), ("n", Dim.parse(1)), (Dim.parse(1), "n")):
                for text in (
                    to_unicode(call, lambda part, s=shape: s),
                    to_unicode(call, lambda part, s=shape: s, ascii=True),
                    to_latex(call, lambda part, s=shape: s),
                ):
                    assert all(a.id in text or latex_name(a.id) in text for a in arguments), text
                    assert ("1" in text.replace("𝟏", "")) or not keywords, text
                    assert "{axis}" not in text and "{X}" not in text and text.count("(") == text.count(")")


def test_long_sums_need_no_recursion() -> None:
    tree: Expr = Name("A")
    for _ in range(5_000):
        tree = Binary("+", tree, Name("B"))
    assert len(to_unicode(tree, lambda part: ("n", "n"))) == 20_001
    assert len(to_latex(tree, lambda part: ("n", "n"))) == 20_001

"""The table of identities: every entry derived anew, none an instance of another; rules used rightly and wrongly."""

from __future__ import annotations

import pytest

import whence
from solving import ROOT
from whence import identities
from whence.identities import TABLE, derivation, kind_of, search
from whence.laws.identities import IDENTITIES
from whence.laws.identity import Identity
from whence.laws.layers import LAYERS
from whence.laws.matching import matches
from whence.laws.rules import CHAIN_RULES
from whence.read.walk import names_in
from whence.uses import judge_product, may_use
from whence.verify.claim import Claim
from whence.verify.judge import check

DERIVATIVES = (*LAYERS, *IDENTITIES)
NETWORK = (ROOT / "examples" / "two_layer.txt").read_text(encoding="utf-8")
VECTORS = "shape W: n x k, x: k, V: p x n\ny = W @ x\nz = tanh(y)\nu = V @ z\nJ = sum(u**2)"


@pytest.mark.parametrize("entry", DERIVATIVES, ids=lambda e: e.name)
def test_every_entry_is_what_whence_derives_and_the_judge_accepts(entry: Identity) -> None:
    d = derivation(entry)
    assert d.formula == entry.derivative or entry in LAYERS
    setting = d.net.setting
    *before, last = setting.definitions
    tree = identities._parsed(entry.derivative, entry.functions)
    claim = Claim(
        dict(setting.inputs), dict(setting.assume), setting.functions, tuple(before), last[1], (entry.wrt,), tree
    )
    assert check(claim).ok


def test_names_are_different_and_sources_are_there() -> None:
    assert len({e.name for e in TABLE}) == len(TABLE) > 200
    assert all(e.source for e in TABLE)


def test_no_derivative_is_a_renaming_or_an_instance_of_another() -> None:
    trees = {e: identities._parsed(e.expression, e.functions) for e in IDENTITIES}
    kinds = {e: dict(p.split(": ") for p in e.shapes.split(", "))[e.wrt] for e in IDENTITIES}
    for e, tree in trees.items():
        for other, pattern in trees.items():
            if e is other or (other.assume and not e.assume) or (" x " in kinds[e]) != (" x " in kinds[other]):
                continue
            assert not matches(pattern, tree, frozenset(names_in(pattern) - {other.wrt}), {other.wrt: e.wrt}), (
                e.name,
                other.name,
            )


def test_search_finds_the_rule_that_tables_lack() -> None:
    assert search("matrix by matrix chain rule")[0].name == "matrix-chain-rule"
    assert search("D.25")[0].name == "long-vector-chain-rule-denominator"
    assert not search("zebra")


@pytest.mark.parametrize(
    ("expression", "wrt", "shapes", "formula"),
    [
        ("trace(A @ inv(X))", "X", None, "-(inv(X) @ A @ inv(X)).T"),
        ("x.T @ (A + B) @ x", "x", "x: n, A: n x n, B: n x n", "(A + B + (A + B).T) @ x"),
        ("trace(P @ X @ Q @ R)", "X", "P: a x b, X: b x c, Q: c x d, R: d x a", "P.T @ (Q @ R).T"),
    ],
)
def test_match_shows_the_substitution_and_the_outcome(
    expression: str, wrt: str, shapes: str | None, formula: str
) -> None:
    found = identities.match(expression, wrt, shapes)
    assert found and wrt in found[0].bindings
    net = whence.model(expression, shapes)
    assert whence.net.Net and identities._holds(net, wrt, identities._parsed(formula))  # type: ignore[attr-defined]
    assert identities._holds(net, wrt, identities._parsed(found[0].formula))


@pytest.mark.parametrize(
    ("expression", "wrt", "name", "text"),
    [
        ("W2 A1", "A1", "backward of a product, right factor", "W2ᵀ G"),
        ("W2 g1(Z1)", "Z1", "backward of a whole layer", "W2ᵀ G ⊙ g1′(Z1)"),
        ("W2 tanh(Z1)", "Z1", "backward of a whole layer", "W2ᵀ G ⊙ (1 - tanh(Z1)²)"),
        ("A X B", "X", "backward of a product, middle factor", "Aᵀ G Bᵀ"),
        ("log(det(X))", "X", "∂(log(det(X)))/∂X", "(X⁻¹)ᵀ"),
    ],
)
def test_matrix_by_matrix_rules_are_found_by_form(expression: str, wrt: str, name: str, text: str) -> None:
    found = identities.match(expression, wrt)[0]
    assert (found.identity.name, found.text) == (name, text)


def test_what_an_identity_assumes_is_said() -> None:
    declared = identities.match("logdet(X.T @ A @ X)", "X", "X: n x m, A: n x n", "A: pd")
    open_ = identities.match("logdet(X.T @ A @ X)", "X", "X: n x m, A: n x n")
    assert declared and not declared[0].needs
    assert all(m.needs for m in open_)


def test_nothing_matches_what_has_no_entry() -> None:
    assert identities.match("sum(sin(X) @ cos(X))", "X", "X: n x n") == []


# ---------------------------------------------------------------- misuses

CHAIN = ("Z1", "A1", "Z2", "A2")
SPELLINGS = {
    "plain": ("∂{of}/∂{by}", str),
    "ascii": ("d{of}/d{by}", str),
    "brackets": ("∂{of}/∂{by}", lambda n: f"{n[0]}[{n[1]}]"),
    "lecture": ("∂{of}/∂{by}", lambda n: f"{n[0]}^[{n[1]}]"),
    "forum": ("∂{of}/∂{by}", lambda n: f"{n[0].lower()}^\\[{n[1]}\\]"),
    "latex": (r"\frac{{\partial {of}}}{{\partial {by}}}", lambda n: f"{n[0]}^{{[{n[1]}]}}"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("inner_first", [True, False])
@pytest.mark.parametrize("length", [2, 3, 4])
def test_a_product_of_partials_of_matrices_is_refused_with_both_faults(
    spelling: str, inner_first: bool, length: int
) -> None:
    pattern, name = SPELLINGS[spelling]
    names = CHAIN[:length]
    parts = [pattern.format(of=name(b), by=name(a)) for a, b in zip(names, names[1:], strict=False)]
    parts.append(pattern.format(of="J", by=name(names[-1])))
    line = "dZ1 = " + " · ".join(parts if inner_first else parts[::-1])
    use = judge_product(whence.model(NETWORK), line, [("z", "Z^[1]"), ("z", "Z^[2]")])
    assert use is not None and len(use.faults) == 2
    assert "vectors" in use.faults[0] and "matrices" in use.faults[0]
    assert "z stands for Z1 and Z2" in use.faults[1]
    said = " ".join(use.said)
    assert ("denominator" if inner_first else "numerator") in said
    assert "The path is right" in said and "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)" in said


def test_a_right_product_of_vectors_is_not_refused() -> None:
    net = whence.model(VECTORS)
    for line in ("dx = ∂y/∂x ∂z/∂y ∂u/∂z", "dx = ∂u/∂z · ∂z/∂y · ∂y/∂x"):
        use = judge_product(net, line)
        assert use is not None and not use.faults


def test_may_i_use_this_rule_here() -> None:
    net = whence.model(VECTORS)
    assert not may_use("vector-chain-rule", [("x", "x"), ("y", "y"), ("z", "z")], net).faults
    wrong_way = may_use("vector-chain-rule", [("x", "z"), ("y", "y"), ("z", "x")], net)
    assert any("does not depend" in f for f in wrong_way.faults)
    network = whence.model(NETWORK)
    both = may_use("long-vector-chain-rule-denominator", [("w", "Z1"), ("z", "A2"), ("z", "Z2")], network)
    assert len(both.faults) == 2
    assert not may_use("matrix-chain-rule", [("X", "Z1"), ("Y", "A1"), ("Z", "Z2")], network).faults
    with pytest.raises(whence.UnknownError):
        may_use("vector-chain-rul", [], network)


def test_kinds() -> None:
    net = whence.model(NETWORK)
    assert [kind_of(net, n) for n in ("J", "b1", "Z1")] == ["number", "vector", "matrix"]


def test_every_rule_ends_in_single_numbers() -> None:
    assert all(rule.proof and rule.when and rule.source for rule in CHAIN_RULES)

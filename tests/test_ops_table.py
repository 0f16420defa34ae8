"""Every entry of the table of functions is whole, and its texts can be read."""

from __future__ import annotations

import dataclasses
import re

import pytest

from test_ops_numbers import INFIX
from trees import tree
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import ALIASES, CONSTANTS, DOMAINS, HIDDEN, TABLE
from whence.shapes.forward import names_in

# Every word of the language of formulas.
WORDS = """
    inv pinv det logdet trace sum mean norm norm1 norm_nuc norm_spec diag kron vec hadamard eye ones zeros matpow expm
    logm sqrtm cholesky adj tril triu outer solve lyapunov frechet commutation argmax_mask argmin_mask svd_uv svd_u1
    svd_v1 exp log sin cos tan asin acos atan sinh cosh tanh sqrt abs sign erf relu sigmoid softplus gelu step softmax
    logsumexp max min maximum minimum where conv2d conv1d einsum transpose reshape concat
"""
TEXTS = ("sentence", "source", "value", "domain", "latex", "unicode", "numpy", "jax", "torch", "c", "right", "wrong")

each = pytest.mark.parametrize("op", TABLE.values(), ids=list(TABLE))


def test_the_table_is_the_language() -> None:
    assert sorted(TABLE) == sorted({*WORDS.split(), *INFIX})


def test_spellings_are_unambiguous() -> None:
    listed = [alias for op in TABLE.values() for alias in op.aliases]
    assert len(set(listed)) == len(listed) == len(ALIASES)
    assert not set(listed) & (TABLE.keys() | CONSTANTS.keys())


@each
def test_no_field_is_empty_without_a_reason(op: Op) -> None:
    empty = [f for f in TEXTS if not getattr(op, f) and not op.missing.get(f)]
    assert not empty
    fields = {f.name for f in dataclasses.fields(op)}
    assert op.missing.keys() <= fields
    assert all(not getattr(op, f) for f in op.missing), "a reason for a field that is filled"


@each
def test_there_is_one_rule_or_a_reason(op: Op) -> None:
    if not op.differential:
        assert op.undifferentiable or op.no_rule or op.missing.get("differential")
    assert op.zero == bool(op.undifferentiable)
    assert op.structure or op.kind != "structure"
    assert op.kind in ("elementwise", "structure", "function")
    names = {p.name for way in signature(op).ways for p in way.parameters}
    assert op.no_rule.keys() <= names
    assert set(op.linear_in) <= names
    changed = {name for name in names if "δ" + name in op.differential}
    arrays = {p.name for way in signature(op).ways for p in way.parameters if p.kind == "array"}
    if op.differential:
        assert changed | op.no_rule.keys() | ({"C"} & arrays) == arrays, "every array has a rule, or a reason"


@each
def test_the_value_is_computed_somehow(op: Op) -> None:
    kind, _, name = op.value.partition(":")
    assert kind in ("mpmath", "own") and name or op.value == "formula" and (op.exact or op.expands)
    assert op.domain in DOMAINS


@each
def test_texts_can_be_read_and_use_known_words(op: Op) -> None:
    own = {p.name for way in signature(op).ways for p in way.parameters}
    allowed = (
        own
        | {"δ" + n for n in own}
        | {"Y", "axis", "G"}
        | CONSTANTS.keys()
        | set(op.functions)
        | ({op.name} & set(TABLE["frechet"].functions))
    )
    for text in (
        op.differential,
        op.differential_whole,
        op.differential_several,
        op.forward,
        op.slope,
        op.commuting,
        op.of_kron,
        op.of_diagonal,
        op.of_vector,
        op.of_product,
        *op.adjoints.values(),
        *op.jacobians.values(),
        op.expands,
        op.exact,
        *[e.expression for e in (*op.right, *op.wrong)],
        *[e.derivative for e in (*op.right, *op.wrong)],
    ):
        if text:
            parsed = tree(text)
            if text in (op.differential, op.exact, op.expands, *op.adjoints.values()):
                assert set(names_in(parsed)) <= allowed
            assert set(re.findall(r"(\w+)\(", text)) <= TABLE.keys() | HIDDEN.keys()


@each
def test_placeholders_are_arguments(op: Op) -> None:
    known = {p.name for way in signature(op).ways for p in way.parameters} | {"axis", "K", "like"}
    for text in (op.latex, op.unicode, op.numpy, op.jax, op.torch, op.c):
        bare = re.sub(r"\\(operatorname|mathbf)\{[^}]*\}", "", text)
        assert set(re.findall(r"\{([A-Za-z]\w*)\}", bare)) <= known


@each
def test_fields_of_the_back_ends_are_filled_or_reasoned(op: Op) -> None:
    """Entry by entry there is a text that writes into an array; of whole arrays one that gives a number."""
    if op.kind == "elementwise":
        assert bool(op.into) != ("into" in op.missing)
    if signature(op).axis == "several" and op.gives == "axis":
        assert {"numpy", "jax", "torch"} <= op.whole.keys()
        assert "c" in op.whole or op.steady or op.structure == "mean"  # the sum over the number
    assert {key.split()[0] for key in op.factored} <= {"numpy", "jax", "torch"}
    assert {key.split()[1] for key in op.factored} <= {"pd", "lu"}
    for text in (op.into, *op.whole.values(), *op.factored.values()):
        placeholders = set(re.findall(r"\{([A-Za-z]\w*)\}", text))
        letters = {p.name for way in signature(op).ways for p in way.parameters}
        assert placeholders <= letters | {"out", "Y", "F", "axis"}
    for text in (op.steady, op.reflected, *[t for pair in op.stable for t in pair]):
        assert not text or set(names_in(tree(text))) <= {"X", "axis"}


@each
def test_wrong_examples_name_their_mistake(op: Op) -> None:
    assert all(e.diagnosis for e in op.wrong) and not any(e.diagnosis for e in op.right)
    assert all({e.wrt} <= set(names_in(tree(e.expression))) for e in (*op.right, *op.wrong))


@each
def test_a_kink_is_said(op: Op) -> None:
    if op.domain in ("nonzero", "distinct"):
        assert op.kink and op.needs

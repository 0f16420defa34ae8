"""What one entry of the table of functions holds. Plain data: nothing here is executed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Example:
    """A formula and its derivative (right), or a formula people write instead (wrong, with its diagnosis)."""

    expression: str
    wrt: str
    derivative: str
    shapes: str = "X: n x m"
    diagnosis: str = ""  # a word of the mistakes' vocabulary; empty for a right example


@dataclass(frozen=True, slots=True)
class Op:
    """One function of the language: all there is to know about it.

    Texts are in the canonical language. In `differential`, `exact` and `expands` the arguments are called
    as `takes` names them (X, A, B, ...), Y is the value of the function, δX a small change of X, and
    `axis=axis` passes the call's own axis on (None where it was not given).
    """

    name: str
    #   elementwise   entry by entry, any shape           exp, sigmoid, maximum
    #   structure     a contraction with deltas: the expression graph has it built in   sum, trace, diag, eye
    #   function      opaque function of whole arrays      inv, det, softmax, max
    kind: str
    takes: str  # "X", "X, axis", "A, B", "X[n,n]", "A[n,n], B[n,m]"
    gives: str  # shape of the value in the letters of `takes`: "X" (same shape), "[]", "[n,n]", "axis" (reduced)
    sentence: str  # one sentence, plain words
    source: str  # of the mathematics

    differential: str = ""  # linear in each δ; empty only with `undifferentiable` or `expands` or kind structure
    undifferentiable: str = ""  # why it has none ("piecewise constant: derivative 0 almost everywhere" => zero=True)
    zero: bool = False  # derivative is zero almost everywhere (sign, step, argmax_mask)
    adjoint: str = ""  # what stands beside δX when the change comes in as G (only where the differential is
    #                    itself an opaque linear map: frechet, ...)
    expands: str = ""  # written in other words of the language; the engine uses this instead of an own rule
    structure: str = ""  # kind structure: which contraction (the expression graph's own vocabulary)

    # How the value is computed, independently of the differential (verify/):
    exact: str = ""  # in terms of other entries, exact identity used mod primes: sigmoid = 1/(1 + exp(-X))
    value: str = ""  # "mpmath:NAME" a primitive, "formula" (use `exact`), or "own:NAME" a routine of verify/
    domain: str = "real"  # real | positive | nonzero | unit-interval | invertible | positive definite | full rank | ...
    needs: tuple[str, ...] = ()  # conditions carried into the answer: "invertible(X)", "X > 0"
    kink: str = ""  # the convention where it is not differentiable
    symmetric_in: str = ""  # facts: "symmetric" if a symmetric argument gives a symmetric value
    facts: tuple[str, ...] = ()  # facts of the value: "positive", "unit-interval", "columns-sum-to-1" (along axis), ...

    latex: str = ""  # with {X}, {A}, {axis}
    unicode: str = ""  # plain-text mathematics, with {X}
    numpy: str = ""
    jax: str = ""
    torch: str = ""
    c: str = ""

    right: tuple[Example, ...] = ()
    wrong: tuple[Example, ...] = ()
    aliases: tuple[str, ...] = ()  # other spellings readers accept (np.log1p is none: only same-meaning names)
    missing: dict[str, str] = field(default_factory=dict)  # field -> reason why it is empty

"""What one entry of the table of functions holds. Plain data: nothing here is executed.

The notation of `takes`, the arguments in order, with commas between them (`|` between alternatives, the first that
fits counts); `whence.ops.signature` reads it:

    X             an array of any shape, a number included
    X[n]          a vector: a column or a row of n entries
    X[n,m]        a matrix (a number counts as 1 x 1); the same letter is the same size, in every argument
    X[...,n,m]    a matrix, or a tensor of matrices: its last two axes, any leading ones
    *X            any number of arrays, at least one
    size n        a whole number of at least 1, or a dimension; it binds the letter
    *sizes        one or more of them
    integer k     a whole number
    name F        the name of a function of the table, one of `functions`
    letters       the text of einsum
    order         the axes in their new order, a tuple
    axis          may be given as `axis=`, one axis; without it the function is of the whole array
    axis=0        the same, with the axis that counts where none is given (up to rank 2)
    axis!         must be given
    axes          may be given, one axis or several

and of `gives`, the shape of the value:

    X             that of the argument X                 A ~ B       that to which A and B broadcast
    []            a number                               [n,m]       letters, with + - * between them
    [...,n,m]     the same, behind the leading axes      [...]       a number for every matrix: of a tensor (..., 1, 1)
    axis          X with the axis (or axes) of length 1; a number where none is given
    sizes         the sizes given (a single one is a column)
    letters       as the text of einsum says             order       X with its axes in that order
    joined        the arrays one behind the other along the axis
"""

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
    assume: str = ""  # "X: positive", what is drawn
    layout: str = ""  # "vec": the derivative is d vec(F) / d vec(X).T


@dataclass(frozen=True, slots=True)
class Op:
    """One function of the language: all there is to know about it.

    Texts are in the canonical language. In `differential`, `exact` and `expands` the arguments are called
    as `takes` names them (X, A, B, ...), Y is the value of the function, δX a small change of X, and
    `axis=axis` passes the call's own axis on (None where it was not given and `takes` names no default).
    """

    name: str
    #   elementwise   entry by entry, any shape           exp, sigmoid, maximum
    #   structure     a contraction with deltas: the expression graph has it built in   sum, trace, diag, eye
    #   function      opaque function of whole arrays      inv, det, softmax, max
    kind: str
    takes: str  # "X", "X, axis", "A, B", "X[n,n]", "A[n,n], B[n,m]" (notation above)
    gives: str  # shape of the value in the letters of `takes`: "X" (same shape), "[]", "[n,n]", "axis" (reduced)
    sentence: str  # one sentence, plain words
    source: str  # of the mathematics

    functions: tuple[str, ...] = ()  # the names an argument `name F` accepts

    # Linear in each δ. Of a `structure` it is the learner's step and the test's; the engine has its own.
    differential: str = ""
    forward: str = ""  # instead, where the change of the value itself is asked for and the language has a word for it
    differential_whole: str = ""  # instead, where no axis is given and the argument is not a vector
    differential_several: str = ""  # instead, where several axes are given
    undifferentiable: str = ""  # why it has none ("piecewise constant: derivative 0 almost everywhere" => zero=True)
    zero: bool = False  # derivative is zero almost everywhere (sign, step, argmax_mask)
    no_rule: dict[str, str] = field(
        default_factory=dict, hash=False
    )  # argument -> why there is no rule for its change (never 0)
    linear_in: tuple[str, ...] = ()  # the arguments in which it is linear (so its second derivative there is zero)
    # Of a map that is linear in an argument and no contraction (frechet, conv2d, ...), by that argument: what stands
    # beside its change when that of the value comes in as G; and the M with vec(Y) = M @ vec(X), where there is one.
    adjoints: dict[str, str] = field(default_factory=dict, hash=False)
    jacobians: dict[str, str] = field(default_factory=dict, hash=False)
    commuting: str = ""  # what it is where its arguments commute: lyapunov(A, Q) = inv(A) @ Q/2
    slope: str = ""  # of a matrix function, its derivative in a direction E that commutes with X, as a factor of E
    parity: str = ""  # elementwise: "odd" f(-x) = -f(x), "even" f(-x) = f(x), "complement" f(-x) = 1 - f(x)
    shifted: str = ""  # what exp(X - Y) is, Y being its value: exp(X - logsumexp(X, axis)) = softmax(X, axis)
    undoes: str = ""  # the function of which it is the inverse function on the whole domain: inv(inv(X)) = X
    of_diagonal: str = ""  # what it is of diag(x), where X stands for the column x
    reciprocal: bool = False  # f(c*X) = f(X)/c for every number c but 0
    of_product: str = ""  # what it is of A @ B, both square
    of_kron: str = ""  # what it is of kron(A, B), where A is n x n (n x p) and B m x m (m x q)
    commutes: bool = False  # f(X) commutes with X, and with whatever commutes with X
    spelled: str = ""  # how it is written where it is only the engine's own word (ops.table.HIDDEN)
    expands: str = ""  # written in other words of the language; the engine uses this instead of an own rule
    structure: str = ""  # kind structure: which contraction (the expression graph's own vocabulary)
    operator: str = ""  # the sign that stands between its two arguments, where the language has one: "*", "**"
    role: str = ""  # what the printed form is made of with it: "root" X**(1/2), "length" the root of a sum of squares
    symbols: str = ""  # the characters written for it, which plain ASCII spells by its name

    # How the value is computed, independently of the differential (verify/):
    exact: str = ""  # in terms of other entries, exact identity used mod primes: sigmoid = 1/(1 + exp(-X))
    value: str = ""  # "mpmath:NAME" a primitive, "formula" (use `exact` or `expands`), "own:NAME" a routine of verify/
    domain: str = "real"  # of its arguments, a word of whence.ops.table.DOMAINS
    needs: tuple[str, ...] = ()  # conditions carried into the answer: "invertible(X)", "X > 0"
    kink: str = ""  # the convention where it is not differentiable
    symmetric_in: str = ""  # facts: "symmetric" if a symmetric argument gives a symmetric value
    facts: tuple[str, ...] = ()  # facts of the value: "positive", "unit-interval", "sums-to-1" (along axis), ...
    of_transpose: str = ""  # the function that it is of X.T: svd_u1(X.T) = svd_v1(X)
    transposes: str = ""  # "equivariant": f(X.T) = f(X).T; "invariant": f(X.T) = f(X)
    of_number: str = ""  # what it is of a 1 x 1 matrix X, in other words of the language
    of_vector: str = ""  # what it is of a column or a row X, in other words of the language
    of_one: str = ""  # its value along an axis of length 1: "X" the entry itself, "1" the number one
    monotone: bool = False  # elementwise and increasing: a larger entry gives a larger (or equal) one

    latex: str = ""  # with {X}, {A}, {axis}; brackets round what stands for {X} are the printer's care
    unicode: str = ""  # plain-text mathematics, with {X}
    # Code: an operand as it stands, where {X} is a name or bracketed, {axis} a number or a tuple. Of the whole, {axis}
    # is None where `takes` has `axis`, the tuple of all axes where it has `axes` (the value is then 1 x 1).
    # {like} is an array that the program was given, whose element type (and device) new arrays take.
    numpy: str = ""
    octave: str = ""  # only where it is no call by the entry's own name
    jax: str = ""
    torch: str = ""
    c: str = ""
    into: str = ""  # NumPy, into an array that is there: np.exp({X}, out={out})
    # Of the whole array as a plain number: back end -> text. In C what a loop does: what it starts with, and {Y} after
    # one more entry {X}.
    whole: dict[str, str] = field(default_factory=dict, hash=False)
    # By a factorisation that several uses of X share: "numpy pd", "torch lu", ... -> text, where {F} is its name.
    factored: dict[str, str] = field(default_factory=dict, hash=False)
    # What it is of another function's value without loss of digits: ("sigmoid(X)", "-softplus(-X)") of log.
    stable: tuple[tuple[str, str], ...] = ()
    steady: str = ""  # in other words of the language, without overflow; where a back end has no text of its own
    reflected: str = ""  # elementwise: f(-X) by f(X), where that saves a call: softplus(-X) = softplus(X) - X
    helpers: dict[str, str] = field(
        default_factory=dict, hash=False
    )  # back end -> a definition its text relies on, emitted once

    right: tuple[Example, ...] = ()
    wrong: tuple[Example, ...] = ()
    aliases: tuple[str, ...] = ()  # other spellings readers accept (np.log1p is none: only same-meaning names)
    missing: dict[str, str] = field(default_factory=dict, hash=False)  # field -> reason why it is empty

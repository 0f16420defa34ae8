"""How code spells operators, and which of its words change no value. Functions stand in the table, not here."""

from __future__ import annotations

import re

# Words before a dot that name a library or an object: `np.exp`, `self.W`.
LIBRARIES = frozenset(
    {"np", "numpy", "torch", "th", "jnp", "jax", "F", "tf", "nn", "math", "scipy", "linalg", "functional", "special",
     "lax", "at", "K", "cp", "mx"}
)  # fmt: skip
OBJECTS = frozenset({"self", "ctx", "cls", "l", "layer", "model", "net", "module", "this"})

# Of two arguments, or of an object and one argument.
PRODUCTS = {"dot": "@", "matmul": "@", "mm": "@", "bmm": "@", "mv": "@", "inner_product": "@"}
OPERATORS = {
    "mul": "*", "times": "*", "add": "+", "plus": "+", "subtract": "-", "sub": "-", "divide": "/",
    "true_divide": "/", "div": "/", "pow": "**", "float_power": "**",
}  # fmt: skip
COMPARISONS = {"greater": ">", "less": "<", "greater_equal": ">=", "less_equal": "<=", "gt": ">", "lt": "<"}

# Methods and functions of one argument that leave the value as it is.
SAME = frozenset(
    {"copy", "clone", "detach", "data", "contiguous", "float", "double", "float32", "float64", "item",
     "astype", "type", "to", "cpu", "cuda", "expand", "squeeze", "array", "asarray", "tensor", "values",
     "stop_gradient", "float_", "half", "requires_grad_", "asmatrix", "mat"}
)  # fmt: skip
# These would cut off decimals: only of a comparison, which is 0 or 1.
CASTS = frozenset({"int", "int32", "int64", "long", "bool"})
TRANSPOSED = frozenset({"t", "ctranspose", "swapaxes", "adjoint", "permute_dims", "matrix_transpose", "H"})
PERMUTED = frozenset({"permute"})  # Octave: the order stands in square brackets, counted from 1
SQUARED = frozenset({"square"})
NEGATED = frozenset({"negative", "neg"})
UNDER_ONE = {"reciprocal": 1, "rsqrt": 2}  # 1/x, and 1 over the root of x

NOT_AXES = frozenset({"keepdims", "keepdim", "dtype", "out", "initial", "device"})
AXIS = frozenset({"axis", "dim"})

# Helpers whose names say that they are the derivative of a function of the table: sigmoid_derivative(z).
DERIVATIVE = re.compile(
    r"(?:d_)?(?P<name>[A-Za-z]+?)(?:_derivative|_deriv|_grad|_gradient|_dx|Gradient|Derivative|Prime)\Z"
)

"""What is said of an error of NumPy, PyTorch or JAX about shapes."""

ARRAY_ERRORS: dict[str, str] = {
    "product": "A matrix product was asked of {left} and {right}: it needs as many rows on the right "
    "({rows}) as columns on the left ({columns}).",
    "product-sizes": "In a matrix product the left side has {columns} columns and the right side {rows} rows; "
    "they must be as many.",
    "entrywise": "{left} and {right} were combined entry by entry: there each size must be the same, or 1.",
    "entrywise-sizes": "Two arrays were combined entry by entry, one with {columns} and one with {rows} along an axis: "
    "there the sizes must be the same, or 1.",
    "fits": "What fits, A being the first and B the second:",
    "entry-by-entry": "entry by entry: both have this shape, as where the derivative of an activation enters",
    "matrix": "a matrix product",
    "of-vectors": "an outer product",
    "shape": "Which of them is right the forward lines decide, not the shapes alone: a gradient has the shape of its "
    "variable, and {advice}",
    "advice": 'whence explain "FORMULA" derives it.',
    "in-model": "In this model these products can have met so, with {sizes}:",
    "at-star": "{formula}: {left} and {right} are multiplied entry by entry (⊙, * in NumPy), not by dot",
    "at-product": "{formula}: {left} times {right}, in this order and with these transposes",
    "nowhere": "No product of this model's backward pass explains these shapes by one slip.",
}

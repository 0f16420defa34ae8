"""Short sentences that answers are dressed in, by name."""

LABELS: dict[str, str] = {
    "means": "({name} means ∂{of}/∂{wrt})",
    "shape-of": "{shape}, the shape of {name}",
    "scalar-title": "One entry first, at {sizes}",
    "scalar-title-plain": "One entry first",
    "matrix-title": "All entries at once        δX: a small change of X; ⟨A, B⟩ = Σ AᵢⱼBᵢⱼ, the sum over all entries",
    "index-title": "By indices        δX: a small change of X; Σₖ: the sum over k",
    "certificate": "Certificate",
    "derived": "derived",
    "checked": "checked",
    "assumes": "assumes",
    "no-steps": "The answer is verified, but its steps are not shown: {reason}.",
    "second-order": "steps are written for first derivatives",
    "course-steps": "in the course's convention the steps are those of the exact one, times the number of samples",
    "layout-limit": "a step would need more than two axes at once",
    "no-scalar": "The scalar reading is not available: {reason}.",
}

"""Short sentences that answers are dressed in, by name."""

# What a derivative by a structured matrix is, by the assumption: {name} is the matrix, G its gradient without it.
STRUCTURED: dict[str, str] = {
    "symmetric": "{name} is symmetric: each pair of equal entries counts as one free entry, so G + Gᵀ - G ⊙ I; inner "
    "product: the sum over the free entries",
    "skew": "{name} is skew: the entries above the diagonal are free and those below their negatives, so G - Gᵀ; inner "
    "product: the sum over the free entries",
    "diagonal": "{name} is diagonal: only its diagonal is free, so G ⊙ I; inner product: the sum over the free entries",
    "lower": "{name} is lower triangular: its lower triangle is free, so tril(G); inner product: the sum over the free "
    "entries",
    "orthogonal": "{name} is orthogonal: G is projected on the tangents, G - {name} ({name}ᵀG + Gᵀ{name})/2; inner "
    "product: the sum over all entries",
}
STRUCTURED["psd"] = STRUCTURED["pd"] = STRUCTURED["symmetric"]

LABELS: dict[str, str] = {
    "means": "({name} means ∂{of}/∂{wrt})",
    "zero": "The derivative of {of} by {wrt} is zero, wherever it exists.",
    "independent": "{of} does not depend on {wrt}: no line leads from one to the other, so the derivative is zero.",
    "with": "with {formula}",
    "shape-of": "{shape}, the shape of {name}",
    "scalar-title": "One entry first, at {sizes}",
    "scalar-title-plain": "One entry first",
    "from": "from {line}",
    "put-in": "put in δ{name}",
    "school": "school: each ∂{output}/∂entry of {name} times the change of that entry, added up",
    "and-itself": " + the part in which {name} stands in {output} itself",
    "through": "through {name}",
    "through-part": "through {name}, part {part}",
    "together": "together: {pairing}",
    "add-up": "the parts add up",
    "beside": "What stands beside δ{name} is the gradient.",
    "collected": "collected and cancelled: equal for all sizes",
    "added": "the parts added",
    "times": "times {number}: in this convention d{name} is {number} times the derivative",
    "index-beside": "what stands beside δ{name}",
    "reaches": "{entry} reaches {output} through {way}{itself}, so by the chain rule of school",
    "itself": ", and stands in {output} itself",
    "reaches-at-once": "{entry} stands in {output} itself, so by the chain rule of school",
    "column": "{entries}: column 1 of {factor}, row 1 of {turned}; a row times what follows: {turned} stands first",
    "row": "{entries}: row 1 of {factor}, column 1 of {turned}; what precedes times a column: {turned} stands last",
    "column-turned": "{entries}: row 1 of {factor}; a row times what follows: {factor} itself stands first",
    "row-turned": "{entries}: column 1 of {factor}; what precedes times a column: {factor} itself stands last",
    "own-entry": "{entry} changes only its own entry there: entry times entry, so ⊙",
    "broadcast-columns": "{entry} is added in every column, so the sum over the columns (axis=1)",
    "broadcast-rows": "{entry} is used in every row, so the sum over the rows (axis=0)",
    "broadcast-all": "{entry} is used in every entry, so the sum over all",
    "matrix-title": "All entries at once",
    "matrix-legend": "δX: a small change of X, products of two dropped · ⟨P, Q⟩ = Σᵢⱼ Pᵢⱼ Qᵢⱼ · "
    "⊙: entry times entry, after the products",
    "prime": " · {f}′: the derivative of {f}, entry by entry",
    "ones-column": " · 𝟏: all ones (𝟏(n): a column of n)",
    "laws-title": "The laws used, entry by entry",
    "means-scaled": "(in this convention {name} means {number} · ∂{of}/∂{wrt})",
    "index-title": "By indices",
    "index-legend": "δX: a small change of X, products of two dropped · Q[i,j]: row i, column j of Q · Σₖ: the sum "
    "over k",
    "index-left-factor": "{factor} is summed over its first index: that is row i of {turned}, so {turned} stands first",
    "index-right-factor": "{factor} is summed over its second index: that is column j of {turned}, so {turned} stands "
    "last",
    "index-left-factor-turned": "{factor} is summed over its second index: that is row i of {factor}, so it stands "
    "first",
    "index-right-factor-turned": "{factor} is summed over its first index: that is column j of {factor}, so it stands "
    "last",
    "index-broadcast-columns": "one number for the whole row i, so the sum over j",
    "index-broadcast-rows": "one number for the whole column j, so the sum over i",
    "index-broadcast-all": "one number for all places, so the sum over all",
    "index-elementwise": "no further sum: each entry meets only the entry at its own place, so ⊙",
    "certificate": "Certificate",
    "derived": "derived",
    "checked": "checked",
    "assumes": "assumes",
    "no-steps": "The answer is verified, but its steps are not shown: {reason}.",
    "second-order": "steps are written for first derivatives",
    "layout-limit": "a step would need more than two axes at once",
    "step-unverified": "a step could not be verified",
    "no-scalar": "The scalar reading is not available: {reason}.",
}

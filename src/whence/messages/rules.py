"""The moves of a derivation: each with its law and the reason it gives, in words a learner knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One move. `law` is shown beside the step, `reason` says what it explains ({factor}: what moved)."""

    code: str
    law: str
    reason: str
    proof: str  # by an index sum, in school algebra


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "left-factor",
            "⟨A, B C⟩ = ⟨Bᵀ A, C⟩",
            "why {factor} is transposed, and first",
            "Σᵢⱼ Aᵢⱼ Σₖ Bᵢₖ Cₖⱼ = Σₖⱼ (Σᵢ Bᵢₖ Aᵢⱼ) Cₖⱼ",
        ),
        Rule(
            "right-factor",
            "⟨A, B C⟩ = ⟨A Cᵀ, B⟩",
            "why {factor} is transposed, and last",
            "Σᵢⱼ Aᵢⱼ Σₖ Bᵢₖ Cₖⱼ = Σᵢₖ (Σⱼ Aᵢⱼ Cₖⱼ) Bᵢₖ",
        ),
        Rule("elementwise", "⟨A, B ⊙ C⟩ = ⟨A ⊙ B, C⟩", "why ⊙", "Σᵢⱼ Aᵢⱼ (Bᵢⱼ Cᵢⱼ) = Σᵢⱼ (Aᵢⱼ Bᵢⱼ) Cᵢⱼ"),
        Rule("number", "⟨A, c B⟩ = ⟨c A, B⟩", "a number may stand on either side", "Σᵢⱼ Aᵢⱼ (c Bᵢⱼ) = Σᵢⱼ (c Aᵢⱼ) Bᵢⱼ"),
        Rule(
            "broadcast",
            "⟨A, b 1ᵀ⟩ = ⟨sum(A), b⟩",
            "{factor} is used again along that axis, so the sum over it",
            "Σᵢⱼ Aᵢⱼ bᵢ = Σᵢ (Σⱼ Aᵢⱼ) bᵢ",
        ),
        Rule(
            "spread",
            "⟨a, sum(B)⟩ = ⟨a 1ᵀ, B⟩",
            "every entry of {factor} is in the sum, so each gets the same",
            "Σᵢ aᵢ Σⱼ Bᵢⱼ = Σᵢⱼ aᵢ Bᵢⱼ",
        ),
        Rule("diagonal", "⟨a, diag(B)⟩ = ⟨diag(a), B⟩", "only the diagonal is used", "Σᵢ aᵢ Bᵢᵢ = Σᵢⱼ [i = j] aᵢ Bᵢⱼ"),
        Rule("turn", "⟨A, Bᵀ⟩ = ⟨Aᵀ, B⟩", "a transpose moves over", "Σᵢⱼ Aᵢⱼ Bⱼᵢ = Σⱼᵢ Aᵢⱼ Bⱼᵢ"),
        Rule(
            "collect",
            "a sum over entries, each times its own change",
            "what multiplies each entry of the change",
            "c Σᵢⱼ Mᵢⱼ δXᵢⱼ = ⟨c M, δX⟩",
        ),
        Rule(
            "terms",
            "⟨A, B + C⟩ = ⟨A, B⟩ + ⟨A, C⟩",
            "one part for each way",
            "Σᵢⱼ Aᵢⱼ (Bᵢⱼ + Cᵢⱼ) = Σᵢⱼ Aᵢⱼ Bᵢⱼ + Σᵢⱼ Aᵢⱼ Cᵢⱼ",
        ),
        Rule("simplify", "the same, collected and cancelled", "equal for all sizes", "distribute, cancel, collect"),
    )
}

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
    when: str = ""  # what must fit for the law to be used


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "left-factor",
            "⟨P, Q R⟩ = ⟨Qᵀ P, R⟩",
            "why {factor} is transposed, and first",
            "⟨P, Q R⟩ = Σᵢⱼ Pᵢⱼ Σₖ Qᵢₖ Rₖⱼ = Σₖⱼ (Σᵢ Qᵢₖ Pᵢⱼ) Rₖⱼ = ⟨Qᵀ P, R⟩",
            when="Q has as many columns as R has rows, and P has the shape of Q R",
        ),
        Rule(
            "right-factor",
            "⟨P, Q R⟩ = ⟨P Rᵀ, Q⟩",
            "why {factor} is transposed, and last",
            "⟨P, Q R⟩ = Σᵢⱼ Pᵢⱼ Σₖ Qᵢₖ Rₖⱼ = Σᵢₖ (Σⱼ Pᵢⱼ Rₖⱼ) Qᵢₖ = ⟨P Rᵀ, Q⟩",
            when="Q has as many columns as R has rows, and P has the shape of Q R",
        ),
        Rule(
            "elementwise",
            "⟨P, Q ⊙ R⟩ = ⟨P ⊙ Q, R⟩",
            "why ⊙",
            "⟨P, Q ⊙ R⟩ = Σᵢⱼ Pᵢⱼ (Qᵢⱼ Rᵢⱼ) = Σᵢⱼ (Pᵢⱼ Qᵢⱼ) Rᵢⱼ = ⟨P ⊙ Q, R⟩",
            when="P, Q and R have the same shape",
        ),
        Rule(
            "number",
            "⟨P, c Q⟩ = ⟨c P, Q⟩",
            "a number may stand on either side",
            "Σᵢⱼ Pᵢⱼ (c Qᵢⱼ) = Σᵢⱼ (c Pᵢⱼ) Qᵢⱼ",
            when="c is a single number",
        ),
        Rule(
            "broadcast-columns",
            "⟨P, q 𝟏ᵀ⟩ = ⟨sum(P, axis=1), q⟩",
            "{factor} is added in every column, so the sum over the columns",
            "Σᵢⱼ Pᵢⱼ qᵢ = Σᵢ (Σⱼ Pᵢⱼ) qᵢ",
            when="q is a column, added to or used in every column of P",
        ),
        Rule(
            "broadcast-rows",
            "⟨P, 𝟏 q⟩ = ⟨sum(P, axis=0), q⟩",
            "{factor} is used in every row, so the sum over the rows",
            "Σᵢⱼ Pᵢⱼ qⱼ = Σⱼ (Σᵢ Pᵢⱼ) qⱼ",
            when="q is a row, added to or used in every row of P",
        ),
        Rule(
            "broadcast-all",
            "⟨P, q 𝟏⟩ = sum(P) q",
            "{factor} is used in every entry, so the sum over all",
            "Σᵢⱼ Pᵢⱼ q = (Σᵢⱼ Pᵢⱼ) q",
            when="q is a single number, used in every entry",
        ),
        Rule(
            "spread-columns",
            "⟨p, sum(Q, axis=1)⟩ = ⟨p 𝟏ᵀ, Q⟩",
            "each entry of a row of {factor} is in that row's sum, so each gets the same",
            "Σᵢ pᵢ Σⱼ Qᵢⱼ = Σᵢⱼ pᵢ Qᵢⱼ",
            when="p is a column with one entry for each row of Q",
        ),
        Rule(
            "spread-rows",
            "⟨p, sum(Q, axis=0)⟩ = ⟨𝟏 p, Q⟩",
            "each entry of a column of {factor} is in that column's sum, so each gets the same",
            "Σⱼ pⱼ Σᵢ Qᵢⱼ = Σᵢⱼ pⱼ Qᵢⱼ",
            when="p is a row with one entry for each column of Q",
        ),
        Rule(
            "spread-all",
            "p sum(Q) = ⟨p 𝟏, Q⟩",
            "every entry of {factor} is in the sum, so each gets the same",
            "p Σᵢⱼ Qᵢⱼ = Σᵢⱼ p Qᵢⱼ",
            when="p is a single number",
        ),
        Rule(
            "weighted-sum",
            "⟨p, sum(Q ⊙ R)⟩ = ⟨p ⊙ Q, R⟩",
            "each entry is in the sum with its weight, and the weight stands beside it",
            "Σⱼ pⱼ Σᵢ Qᵢⱼ Rᵢⱼ = Σᵢⱼ (pⱼ Qᵢⱼ) Rᵢⱼ",
            when="Q and R have the same shape",
        ),
        Rule(
            "diagonal",
            "⟨p, diag(Q)⟩ = ⟨diag(p), Q⟩",
            "only the diagonal is used",
            "Σᵢ pᵢ Qᵢᵢ = Σᵢⱼ [i = j] pᵢ Qᵢⱼ",
            when="Q is square",
        ),
        Rule(
            "turn",
            "⟨P, Qᵀ⟩ = ⟨Pᵀ, Q⟩",
            "the change stands transposed, so its partner does",
            "Σᵢⱼ Pᵢⱼ Qⱼᵢ = Σⱼᵢ Pᵢⱼ Qⱼᵢ",
            when="P has the shape of Qᵀ",
        ),
        Rule(
            "pair",
            "Σᵢⱼ Pᵢⱼ Qᵢⱼ = tr(Pᵀ Q) = ⟨P, Q⟩",
            "a sum over entries, each with its factor, is a pairing",
            "tr(Pᵀ Q) = Σⱼ Σᵢ Pᵢⱼ Qᵢⱼ",
            when="P and Q have the same shape",
        ),
    )
}

"""Rules of differentiation that people look up, with the kinds of things their symbols may stand for.

A rule in a book says at its head that x, y and z are vectors, or numbers; two pages later nobody remembers it. Here
the kinds, the order in which the symbols depend on each other, and the layout stand with the rule, so that a use can be
judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NUMBER, VECTOR, MATRIX, ANY = "number", "vector", "matrix", "any"


@dataclass(frozen=True, slots=True)
class ChainRule:
    """One rule. `kinds`: symbol -> what it may stand for, the innermost first: w, x(w), y(x), z(y)."""

    name: str
    formula: str
    kinds: dict[str, str] = field(hash=False)
    layout: str  # numerator, denominator, or empty where it makes no difference
    words: str  # by which it is found, besides its name
    when: str
    proof: str  # ends in single numbers
    source: str

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.kinds)


_MAGNUS = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 5 (chain rule) and ch. 9 (matrix functions)"

CHAIN_RULES: tuple[ChainRule, ...] = (
    ChainRule(
        "scalar-chain-rule",
        "dz/dx = dz/dy · dy/dx",
        {"x": NUMBER, "y": NUMBER, "z": NUMBER},
        "",
        "school chain rule one variable numbers scalar",
        "y depends on x alone and z on y alone, all single numbers",
        "a small change δx changes y by dy/dx δx, and z by dz/dy times that",
        "any book of calculus",
    ),
    ChainRule(
        "scalar-chain-rule-over-paths",
        "∂z/∂x = Σₖ ∂z/∂yₖ · ∂yₖ/∂x",
        {"x": NUMBER, "y": ANY, "z": NUMBER},
        "",
        "chain rule several variables total derivative sum over paths scalar numbers",
        "x and z are single numbers; y₁, y₂, … are all the numbers through which z depends on x",
        "δz = Σₖ ∂z/∂yₖ δyₖ, and δyₖ = ∂yₖ/∂x δx",
        "any book of calculus of several variables",
    ),
    ChainRule(
        "vector-chain-rule",
        "∂z/∂x = ∂z/∂y ∂y/∂x",
        {"x": VECTOR, "y": VECTOR, "z": VECTOR},
        "numerator",
        "chain rule vectors Jacobian product vector by vector",
        "x, y and z are vectors; ∂y/∂x has a row for each entry of y (numerator layout)",
        "∂zᵢ/∂xⱼ = Σₖ ∂zᵢ/∂yₖ ∂yₖ/∂xⱼ: row i of ∂z/∂y times column j of ∂y/∂x",
        "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 5",
    ),
    ChainRule(
        "vector-chain-rule-denominator",
        "∂z/∂x = ∂y/∂x ∂z/∂y",
        {"x": VECTOR, "y": VECTOR, "z": VECTOR},
        "denominator",
        "chain rule vectors Jacobian product vector by vector reversed order denominator layout",
        "x, y and z are vectors; ∂y/∂x has a column for each entry of y (denominator layout)",
        "∂zᵢ/∂xⱼ = Σₖ ∂yₖ/∂xⱼ ∂zᵢ/∂yₖ: row j of ∂y/∂x times column i of ∂z/∂y",
        "Felippa, Introduction to Finite Element Methods, appendix D on matrix calculus (denominator layout)",
    ),
    ChainRule(
        "long-vector-chain-rule-denominator",
        "∂z/∂w = ∂x/∂w ∂y/∂x ∂z/∂y",
        {"w": VECTOR, "x": VECTOR, "y": VECTOR, "z": VECTOR},
        "denominator",
        "chain rule four vectors w x y z D.25 denominator layout appendix",
        "w, x, y and z are vectors; each derivative has a column for each entry of what is differentiated",
        "∂zᵢ/∂wⱼ = Σₖₗ ∂xₖ/∂wⱼ ∂yₗ/∂xₖ ∂zᵢ/∂yₗ: the rule for three vectors, used twice",
        "Felippa, Introduction to Finite Element Methods, appendix D on matrix calculus, eq. D.25",
    ),
    ChainRule(
        "matrix-chain-rule",
        "∂Z[i,j]/∂X[k,l] = Σₚᵣ ∂Z[i,j]/∂Y[p,r] · ∂Y[p,r]/∂X[k,l]",
        {"X": ANY, "Y": ANY, "Z": ANY},
        "",
        "matrix by matrix chain rule four indices tensor 4-index missing from tables backpropagation",
        "Z depends on X through Y alone; any shapes",
        "each entry of Z is a number that depends on the numbers Y[p,r], each of which depends on the number X[k,l]: "
        "the chain rule of school over all paths, once for each pair of entries",
        _MAGNUS,
    ),
    ChainRule(
        "matrix-chain-rule-vec",
        "∂vec(Z)/∂vec(X)ᵀ = ∂vec(Z)/∂vec(Y)ᵀ ∂vec(Y)/∂vec(X)ᵀ",
        {"X": ANY, "Y": ANY, "Z": ANY},
        "numerator",
        "matrix by matrix chain rule vec Kronecker stacked columns",
        "Z depends on X through Y alone; vec stacks the columns of a matrix into one vector",
        "vec(X), vec(Y), vec(Z) are vectors of the same numbers, so this is the rule for vectors, and that ends in "
        "∂Z[i,j]/∂X[k,l] = Σₚᵣ ∂Z[i,j]/∂Y[p,r] ∂Y[p,r]/∂X[k,l]",
        _MAGNUS,
    ),
    ChainRule(
        "gradient-chain-rule",
        "∂J/∂X[k,l] = Σᵢⱼ ∂J/∂Y[i,j] · ∂Y[i,j]/∂X[k,l]",
        {"X": ANY, "Y": ANY, "J": NUMBER},
        "",
        "matrix chain rule gradient of a scalar cost backpropagation matrix by matrix adjoint upstream",
        "J is a single number that depends on X through Y alone; any shapes",
        "J depends on the number X[k,l] through every number Y[i,j]: the chain rule of school over all paths",
        "The Matrix Cookbook (2012), eq. 137",
    ),
)

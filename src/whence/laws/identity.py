"""What one derivative of the table of identities holds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Identity:
    """The derivative of `expression` by `wrt` is `derivative`; `conditions` are what it needs.

    All formulas are in the canonical language. `shapes` declares every name, `assume` what is known of some.
    """

    name: str
    expression: str
    wrt: str
    derivative: str
    shapes: str
    source: str
    assume: str = ""
    conditions: tuple[str, ...] = ()
    words: str = ""
    functions: tuple[str, ...] = field(default=())
    layout: str = "gradient"

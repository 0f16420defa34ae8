"""The independent judge: it walks parsed text with exact and 50-digit arithmetic and knows nothing of the engine."""

from whence.verify.claim import Check, Claim, Witness
from whence.verify.judge import check

__all__ = ["Check", "Claim", "Witness", "check"]

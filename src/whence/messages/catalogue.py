"""The catalogue of messages: every sentence the program says, by code."""

from __future__ import annotations

from typing import Any


def sentence(code: str, values: dict[str, Any]) -> tuple[str, str]:
    """The sentence of a code with its values filled in, and the default next step."""
    return code, ""

"""What the names of a network say: dZ2 is the gradient by Z of layer 2, W_lp1 are the weights of layer l + 1."""

from __future__ import annotations

import re
from typing import NamedTuple

_LAYERED = re.compile(r"(?P<stem>.*?)(?:(?P<number>\d+)|_(?P<letter>[a-zL])(?:(?P<direction>[pm])(?P<step>\d+))?)?\Z")
_ERROR = "delta"  # δ, which books write for the gradient by what goes into the activation
_NO_ADJOINTS = re.compile(r"(?:d|data|dim|diff|depth|diag|det|delta_?t|dt|dot|drop\w*)\Z")
WEIGHTS, BEFORE, AFTER, BIAS = "W", "Z", "A", "b"
_ROLES = {
    **dict.fromkeys(("W", "w", "Theta", "theta", "weights", "U", "V"), WEIGHTS),
    **dict.fromkeys(("Z", "z", "logits", "scores", "net", "pre"), BEFORE),
    **dict.fromkeys(("A", "a", "H", "h", "act", "hidden", "X", "x", "activations", "y_hat", "Y_hat", "P", "p"), AFTER),
    **dict.fromkeys(("b", "B", "bias"), BIAS),
}


class LayerName(NamedTuple):
    """A name in its parts: Z2 is the stem Z in layer 2, Z_lm1 the stem Z in layer l - 1; no layer is ""."""

    stem: str
    letter: str = ""
    number: int | None = None

    @property
    def role(self) -> str:
        """What the stem stands for in a network: weights, before or after the activation, bias; "" for others."""
        return _ROLES.get(self.stem, "")

    @property
    def layered(self) -> bool:
        return self.number is not None

    def text(self) -> str:
        """The name as the canonical language writes it.

        >>> layer_name("W_lp1").moved(-1).text(), layer_name("Z1").moved(1).text()
        ('W_l', 'Z2')
        """
        if self.number is None:
            return self.stem
        if not self.letter:
            return f"{self.stem}{self.number}"
        step = f"{'p' if self.number > 0 else 'm'}{abs(self.number)}" if self.number else ""
        return f"{self.stem}_{self.letter}{step}"

    def moved(self, by: int) -> LayerName:
        """The same stem some layers later."""
        return self if self.number is None else self._replace(number=self.number + by)

    def of(self, stem: str) -> LayerName:
        """Another quantity of the same layer."""
        return self._replace(stem=stem)


def layer_name(name: str) -> LayerName:
    """A name in its parts."""
    found = _LAYERED.match(name)
    assert found is not None
    if found["number"] is not None and found["stem"]:
        return LayerName(found["stem"], "", int(found["number"]))
    if found["letter"] is not None and found["stem"]:
        step = int(found["step"] or 0)
        return LayerName(found["stem"], found["letter"], -step if found["direction"] == "m" else step)
    return LayerName(name)


def is_error(name: str) -> bool:
    """Is a name δ with or without a layer?"""
    return layer_name(name).stem == _ERROR


def adjoint_of(name: str, upper: bool) -> str:
    """The name of which another is the gradient by its look: Z1 of dZ1; of δ¹ what goes into layer 1. "" for none.

    >>> adjoint_of("dZ1", True), adjoint_of("delta_l", False), adjoint_of("data", False)
    ('Z1', 'z_l', '')
    """
    parts = layer_name(name)
    if is_error(name):
        return parts.of(BEFORE if upper else BEFORE.lower()).text()
    if not name.startswith("d") or _NO_ADJOINTS.match(name):
        return ""
    rest = name[1:].lstrip("_")
    return rest if rest and not rest[0].isdigit() else ""

"""Names in emitted code: ASCII identifiers, one for each name, none of them a keyword or a word of the library."""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Iterable

LIBRARIES = ("np", "jnp", "jax", "torch", "scipy", "math", "ctypes", "rng")
# What C takes beside Python's own words, and what emitted C calls its own.
C_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "I REAL NULL INFINITY NAN"
)


class Names:
    """Gives every name of a model an identifier of its own."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, *LIBRARIES, *keyword.kwlist, *dir(builtins)}
        self._of: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """The identifier of a name of the model; always the same for the same name."""
        if name not in self._of:
            self._of[name] = self.fresh(_ascii(name))
        return self._of[name]

    def numbered(self, wish: str) -> str:
        """The next of t1, t2, t3 that nothing has."""
        k = 1
        while f"{wish}{k}" in self._taken:
            k += 1
        self._taken.add(f"{wish}{k}")
        return f"{wish}{k}"

    def fresh(self, wish: str) -> str:
        """An identifier that nothing has yet, as near to the wish as can be."""
        name, k = wish, 1
        while name in self._taken:
            k += 1
            name = f"{wish}_" if k == 2 else f"{wish}_{k}"
        self._taken.add(name)
        return name


def _ascii(name: str) -> str:
    """Letters that ASCII lacks are spelled: their names are unique."""
    out = ""
    for c in name:
        c = "_" if c == " " else c
        plain = c.isascii() and (c.isalnum() or c == "_")
        out += c if plain else unicodedata.name(c, f"u{ord(c):x}").split()[-1].lower().replace("-", "_")
    return out if out[:1].isalpha() or out[:1] == "_" else "v" + out

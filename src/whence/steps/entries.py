"""Lines over entries as a person types them: dz1_1 = w2_11 dz2_1 g1'(z1_1), ∂z2_1/∂a1_1 = w2₁₁, z1[1,1] = …"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from whence.messages.errors import ReadError
from whence.messages.practice import PRACTICE
from whence.notation.unicode import display_name
from whence.ops.table import CONSTANTS
from whence.read.letters import SUBSCRIPTS, fold
from whence.read.reading import read_typed
from whence.read.syntax import Binary, Call, Compare, Expr, Name, Negative, Number
from whence.steps.lesson import Lesson, Place

LINE_LIMIT = 2_000
_LOWERED = {sign: plain for sign, plain in SUBSCRIPTS.items() if plain.isdigit()}
_WORD = re.compile(r"[^\W\d_]\w*(?:\{\d ?,? ?\d?\})?")
_PLACED = re.compile(r"(.+)_\{?(\d[\d, ]*)\}?")
_BRACKETED = re.compile(r"\[ ?(\d) ?(?:, ?(\d) ?)?\]")
_PARTIAL = re.compile(r"[d∂](\w{1,40})/[d∂](\w{1,40})")
_FRACTION = re.compile(r"\\[dt]?frac ?\{ ?[d∂] ?(\w{1,40}) ?\} ?\{ ?[d∂] ?(\w{1,40}) ?\}")
_BRACED = re.compile(r"_ ?\{ ?(\d{1,2}) ?,? ?(\d?) ?\}")
_LAYER = r" ?\^ ?\{? ?\\?\[ ?(\d{1,2}) ?\\?\](?: ?\})?"  # ^[1], ^{[1]}, and as a forum wants it, ^\[1\]
_PLACE_LAYER = re.compile(r"(?<=[^\W\d_])(_\d{1,2})" + _LAYER)
_LAYER_ALONE = re.compile(r"(?<=[^\W\d_])" + _LAYER)
_SUBSCRIPT = re.compile(f"[{''.join(_LOWERED)}]+")


@dataclass(frozen=True)
class Entry:
    """An entry: of which name, and where."""

    name: str
    place: Place


@dataclass(frozen=True)
class Partial:
    """A derivative of one entry (or of the output) by another."""

    of: Entry
    by: Entry


Left = Entry | Partial


class Entries:
    """The entries of a lesson at small sizes, by the words with which they are typed."""

    def __init__(self, lesson: Lesson, sizes: Mapping[str, int], functions: Collection[str]) -> None:
        self.lesson, self.sizes, self.functions = lesson, dict(sizes), tuple(functions)
        self.known: dict[str, Entry] = {}
        self.ids: dict[Entry, str] = {}
        names = [*lesson.setting.inputs, *(n for n, _ in lesson.setting.definitions)]
        spellings: dict[str, set[Entry]] = {}
        for name in names:
            if len(lesson.shapes[name]) > 2:
                continue
            for place in lesson.places(name, sizes):
                for own in (name, "d" + name):
                    self._spell(Entry(own, place), name, spellings)
        self.known = {word: next(iter(found)) for word, found in spellings.items() if len(found) == 1}

    def _spell(self, entry: Entry, shape_of: str, spellings: dict[str, set[Entry]]) -> None:
        lesson = self.lesson
        full = lesson.entry_id(shape_of, entry.place, self.sizes)
        digits = "".join(_LOWERED[c] for c in full if c in _LOWERED)
        both = "".join(str(k + 1) for k in entry.place)
        base = entry.name
        self.ids.setdefault(entry, f"q{len(self.ids)}")
        words = {base} if not digits else set()
        for tail in {digits, both, digits + "1" if len(digits) == 1 else digits} - {""}:
            for head in {base, base.lower()}:
                words |= {f"{head}_{tail}", f"{head}{tail}"} if digits else set()
        if not digits:
            words.add(base.lower())
        for word in words:
            spellings.setdefault(word, set()).add(entry)

    def typed(self, entry: Entry) -> str:
        """How an entry is typed in plain letters: z1_12."""
        shape_of = entry.name if entry.name in self.lesson.shapes else entry.name[1:]
        full = self.lesson.entry_id(shape_of, entry.place, self.sizes)
        digits = "".join(_LOWERED[c] for c in full if c in _LOWERED)
        return f"{entry.name.lower()}_{digits}" if digits else entry.name

    def shown(self, entry: Left) -> str:
        """How an entry is printed: z1₁₂; a derivative: ∂z2₁/∂a1₁."""
        if isinstance(entry, Partial):
            return f"∂{self.shown(entry.of)}/∂{self.shown(entry.by)}"
        shape_of = entry.name if entry.name in self.lesson.shapes else entry.name[1:]
        full = self.lesson.entry_id(shape_of, entry.place, self.sizes)
        own = "".join(c for c in full if c in _LOWERED)
        return display_name(entry.name.lower() if own else entry.name) + own

    # ------------------------------------------------------------ reading
    def left(self, text: str) -> Left | None:
        """What the left side of a line stands for; None where it is no entry."""
        plain = _plain(text)
        partial = _PARTIAL.fullmatch(plain.replace(" ", ""))
        if partial is not None:
            return self._partial(partial)
        return self.known.get(folded(plain.strip()))

    def is_whole(self, text: str) -> bool:
        """Does the left side of a line stand for the gradient as a matrix: dZ1, dZ^[1], dJ/dZ1?"""
        if len(text) > LINE_LIMIT:
            return False
        plain = _plain(text).strip()
        partial = _PARTIAL.fullmatch(plain.replace(" ", ""))
        if partial is not None:
            return (folded(partial[1]), folded(partial[2])) == (self.lesson.output, self.lesson.target)
        return folded(plain) == "d" + self.lesson.target

    def _partial(self, found: re.Match[str]) -> Partial | None:
        of, by = (self.known.get(folded(word)) for word in found.groups())
        return Partial(of, by) if of is not None and by is not None else None

    def right(self, text: str, partials: dict[str, Partial]) -> Expr:
        """The formula of a right side, over the names of `ids` and of the partials that it uses.

        Raises ReadError for what cannot be read, and for words that are no entries.
        """
        plain = _plain(text)
        pieces: list[str] = []
        last = 0
        for found in _PARTIAL.finditer(plain):
            partial = self._partial(found)
            if partial is not None:
                name = f"p{len(partials)}"
                partials[name] = partial
                pieces += [self._words(plain[last : found.start()]), f" ({name}) "]
                last = found.end()
        pieces.append(self._words(plain[last:]))
        numbers = {name: [] for name in (*self.ids.values(), *partials)}
        given = {"variables": numbers, "functions": self.functions}
        line, *others = read_typed("".join(pieces), given, dialect="lecture").lines
        if others:
            raise ReadError("two-formulas", found=str(len(others) + 1))
        return of_numbers(line.expression)

    def _words(self, text: str) -> str:
        """The text with every entry in it replaced by its plain name."""
        out: list[str] = []
        last = 0
        for found in _WORD.finditer(text):
            entry = self.known.get(folded(found.group()))
            called = text[found.end() : found.end() + 1] in ("(", "'", "′") and "_" not in found.group()
            if entry is not None and not called:
                out += [text[last : found.start()], f" {self.ids[entry]} "]
                last = found.end()
        return "".join([*out, text[last:]])

    def unknown(self, tree_names: Collection[str], partials: Collection[str]) -> list[str]:
        """The names of a right side that are no entries and no sizes."""
        ids = set(self.ids.values()) | set(partials) | set(self.sizes) | set(CONSTANTS)
        return sorted(n for n in tree_names if n not in ids)


def of_numbers(tree: Expr) -> Expr:
    """The formula with every product a product of numbers: a blank between two entries is read as one."""
    match tree:
        case Compare(operator=operator, left=a, right=b):
            return Compare(operator, of_numbers(a), of_numbers(b))
        case Binary(operator=operator, left=a, right=b):
            return Binary("*" if operator == "@" else operator, of_numbers(a), of_numbers(b))
        case Negative(operand=a):
            return Negative(of_numbers(a))
        case Call(name=name, arguments=arguments):
            return Call(name, tuple(of_numbers(a) for a in arguments))
        case Name() | Number():
            return tree
    raise ReadError("not-numbers", found=PRACTICE["not-numbers"])


def _plain(text: str) -> str:
    """Subscript signs, brackets and layers as in z1_12: z1₁₂, z1[1,2], z^[1]_12 and z_{12}^{[1]}; ∂ for LaTeX's."""
    if len(text) > LINE_LIMIT:
        raise ReadError("line-too-long", found=str(len(text)), limit=LINE_LIMIT)
    plain = _SUBSCRIPT.sub(lambda m: "_" + "".join(_LOWERED[c] for c in m.group()), text)
    plain = _BRACED.sub(r"_\1\2", plain)
    plain = _LAYER_ALONE.sub(r"\1", _PLACE_LAYER.sub(r"\2\1", plain))
    plain = _BRACKETED.sub(lambda m: "_" + m[1] + (m[2] or ""), plain)
    plain = _FRACTION.sub(r"∂\1/∂\2", plain.replace("\\partial", "∂"))
    return plain.replace("·", " * ").replace("⋅", " * ").replace("’", "'")


def folded(word: str) -> str:
    """The word with plain letters and digits."""
    placed = _PLACED.fullmatch(word)
    head, tail = (placed[1], placed[2]) if placed is not None else (word, "")
    try:
        head = fold(head, 1, 1)
    except ReadError:
        return word
    digits = "".join(c for c in tail if c.isdigit())
    return f"{head}_{digits}" if digits else head


def names_to_entries(entries: Entries) -> dict[str, Expr]:
    """For printing: the plain names of entries as they are shown."""
    return {own: Name(entries.shown(entry)) for entry, own in entries.ids.items()}

"""Writes an answer's graph as a formula of the corpora's language, so that lengths can be compared.

Sums over indices become matrix products, row and column sums, elementwise products and diagonals wherever they can;
only what is left is an einsum. So a tool that answers in indices gets the shortest plain formula found for it.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from fractions import Fraction

from rival_graph import Node

LIMIT = 20_000  # characters


class TooLong(Exception):
    """The formula is longer than anyone would read."""


@dataclass
class Part:
    """A factor of a sum over indices, a column or a matrix: a product of formulas, each perhaps transposed."""

    chain: list[tuple[str, bool]]
    labels: list[int]  # of its axes

    @property
    def text(self) -> str:
        product = " @ ".join(f"({text}).T" if turned else f"({text})" for text, turned in self.chain)
        return f"({product})" if len(self.chain) > 1 else product

    def turned(self) -> Part:
        return Part([(text, not turned) for text, turned in self.chain[::-1]], self.labels[::-1])

    def along(self, matrix: Part) -> str:
        """This column, repeated over the other axis of a matrix."""
        return self.text if self.labels[0] == matrix.labels[0] else self.turned().text


def part(text: str, labels: list[int]) -> Part:
    return Part([(text, False)], labels)


def formula_of(nodes: list[Node], rows: set[str]) -> str:
    """`rows`: the variables that are declared as rows."""
    texts: list[tuple[str, int]] = []
    writer = Writer(nodes, texts, rows)
    for node in nodes:
        texts.append(writer.text(node))
        if len(texts[-1][0]) > LIMIT:
            raise TooLong
    return texts[-1][0]


class Writer:
    def __init__(self, nodes: list[Node], texts: list[tuple[str, int]], rows: set[str]) -> None:
        self.nodes, self.texts, self.rows = nodes, texts, rows
        self.cores: dict[str, str] = {}  # what an array repeats: a number or a column, of which broadcasting makes it

    def text(self, node: Node) -> tuple[str, int]:
        """The formula and the number of its axes (a column of one axis is written as a column)."""
        return getattr(self, f"do_{node[0]}")(*node[1:])

    def of(self, places: tuple[int, ...]) -> list[str]:
        return [self.texts[place][0] for place in places]

    def rank(self, *places: int) -> int:
        return max((self.texts[place][1] for place in places), default=0)

    # ------------------------------------------------------------ constants
    def do_number(self, text: str) -> tuple[str, int]:
        return (f"({text})" if text.startswith("-") or "/" in text else text), 0

    def do_size(self, name: str) -> tuple[str, int]:
        return f"({name})", 0

    def do_variable(self, name: str, rank: int) -> tuple[str, int]:
        if name.startswith("unit_"):
            _, place, size = name.split("_", 2)
            return f"eye({size})[:, {place}]", rank
        return (f"{name}.T" if rank == 1 and name in self.rows else name), rank

    def do_eye(self, n: int) -> tuple[str, int]:
        return f"eye({self.texts[n][0]})", 2

    def do_ones(self, *sizes: int, word: str = "ones") -> tuple[str, int]:
        text = f"{word}({', '.join(self.of(sizes))})" if sizes else str(int(word == "ones"))
        self.cores[text] = str(int(word == "ones"))
        return text, len(sizes)

    def broadcast(self, places: list[int]) -> list[str]:
        """Terms of a sum or product; repetitions are left to broadcasting where another term has the shape."""
        texts = self.of(tuple(places))
        whole = any(self.rank(place) and text not in self.cores for place, text in zip(places, texts, strict=True))
        return [self.cores.get(text, text) for text in texts] if whole else texts

    def do_zeros(self, *sizes: int) -> tuple[str, int]:
        return self.do_ones(*sizes, word="zeros")

    def do_delta(self, n: int, order: int) -> tuple[str, int]:
        if order == 0:
            return self.texts[n][0], 0
        if order == 1:
            return self.do_ones(n)
        if order == 2:
            return self.do_eye(n)
        letters = string.ascii_lowercase[:order]  # identities that share an axis
        groups = ",".join(letters[0] + letter for letter in letters[1:])
        eyes = ", ".join([f"eye({self.texts[n][0]})"] * (order - 1))
        return f"einsum('{groups}->{letters}', {eyes})", order

    def do_shift(self, *sizes: int) -> tuple[str, int]:
        raise TooLong  # the language has no word for it

    # ------------------------------------------------------------ entry by entry
    def do_add(self, *terms: int) -> tuple[str, int]:
        return "(" + " + ".join(self.broadcast(list(terms))) + ")", self.rank(*terms)

    def do_times(self, *factors: int) -> tuple[str, int]:
        minus = [place for place in factors if self.nodes[place] == ["number", "-1"]]
        above = [place for place in factors if place not in minus and not self.is_reciprocal(place)]
        below = [self.texts[self.nodes[place][1]][0] for place in factors if self.is_reciprocal(place)]
        sign, under = "-" * (len(minus) % 2), "".join(f"/{text}" for text in below)
        text = f"({sign}{'*'.join(self.broadcast(above)) or '1'}{under})"
        if not any(self.rank(place) and self.texts[place][0] not in self.cores for place in factors):
            cores = [self.cores.get(self.texts[place][0], self.texts[place][0]) for place in above]
            self.cores[text] = f"({sign}{'*'.join(cores) or '1'}{under})"
        return text, self.rank(*factors)

    def is_reciprocal(self, place: int) -> bool:
        node = self.nodes[place]
        return node[0] == "power" and self.nodes[node[2]] == ["number", "-1"]

    def do_power(self, base: int, exponent: int) -> tuple[str, int]:
        node = self.nodes[exponent]
        if node[0] == "number" and Fraction(node[1]) == Fraction(1, 2):
            return f"sqrt({self.texts[base][0]})", self.rank(base)
        if node[0] == "number" and Fraction(node[1]) == -1:
            return f"(1/{self.texts[base][0]})", self.rank(base)
        return f"({self.texts[base][0]})**({self.texts[exponent][0]})", self.rank(base)

    def do_call(self, name: str, place: int) -> tuple[str, int]:
        return f"{name}({self.texts[place][0]})", self.rank(place)

    # ------------------------------------------------------------ matrices
    def do_inverse(self, place: int) -> tuple[str, int]:
        return f"inv({self.texts[place][0]})", 2

    def do_det(self, place: int) -> tuple[str, int]:
        return f"det({self.texts[place][0]})", 0

    def do_matpow(self, place: int, exponent: int) -> tuple[str, int]:
        node = self.nodes[exponent]
        if node == ["number", "1/2"]:
            return f"sqrtm({self.texts[place][0]})", 2
        return f"matpow({self.texts[place][0]}, {self.texts[exponent][0]})", 2

    def do_kron(self, a: int, b: int) -> tuple[str, int]:
        return f"kron({self.texts[a][0]}, {self.texts[b][0]})", 2

    def do_diagonal(self, place: int) -> tuple[str, int]:
        return f"diag({self.texts[place][0]})", 2

    do_diagonal_of = do_diagonal

    def do_reshape(self, place: int, *sizes: int) -> tuple[str, int]:
        return f"reshape({self.texts[place][0]}, {', '.join(self.of(sizes))})", len(sizes)

    def do_entry(self, place: int, row: int, column: int) -> tuple[str, int]:
        return f"({self.texts[place][0]})[{self.texts[row][0]}, {self.texts[column][0]}]", 0

    def do_max(self, place: int, axes: list[int]) -> tuple[str, int]:
        if len(axes) == self.rank(place):
            return f"max({self.texts[place][0]})", 0
        raise TooLong

    def do_max_mask(self, place: int, axes: list[int]) -> tuple[str, int]:
        if len(axes) == self.rank(place):
            return f"argmax_mask({self.texts[place][0]})", len(axes)
        return f"argmax_mask({self.texts[place][0]}, axis={axes[0]})", 2

    def do_einsum(self, labels: list[list[int]], out: list[int], *operands: int) -> tuple[str, int]:
        joined = Joined(self, labels, out, operands)
        text, core = joined.text()
        if core:
            self.cores[text] = core
        return text, len(joined.out)


class Joined:
    """One sum over indices, contracted step by step into a formula."""

    def __init__(self, writer: Writer, labels: list[list[int]], out: list[int], operands: tuple[int, ...]) -> None:
        self.names: dict[int, int] = {}
        self.sizes: dict[int, str] = {}  # of labels that only copies carry
        self.numbers: list[str] = []
        self.below: list[str] = []
        self.parts: list[Part] = []
        for group, place in zip(labels, operands, strict=True):  # copies first: they make labels one
            if writer.nodes[place][0] in ("delta", "eye") and group:
                for label in group[1:]:
                    self.names[self.one(label)] = self.one(group[0])
        self.out = [self.one(label) for label in out]
        groups = [[self.one(label) for label in group] for group in labels]
        self.single = {
            label for group, place in zip(groups, operands, strict=True) for label in singles(writer, group, place)
        }
        if len(self.out) > 2:
            self.out = [label for label in self.out if label not in self.single]
        self.single -= set(self.out)
        for group, place in zip(groups, operands, strict=True):
            self.take(writer, group, place)

    def one(self, label: int) -> int:
        while label in self.names and self.names[label] != label:
            label = self.names[label]
        return label

    def take(self, writer: Writer, group: list[int], place: int) -> None:
        node, (text, _) = writer.nodes[place], writer.texts[place]
        if set(group) & self.single and node[0] in ("delta", "eye"):
            return
        if node[0] in ("delta", "eye") and group:
            self.sizes[group[0]] = writer.texts[node[1]][0]
        elif node[0] == "ones" and group:
            named = zip(group, node[1:], strict=True)
            self.sizes.update((label, writer.texts[n][0]) for label, n in named if label not in self.single)
        elif not group and writer.is_reciprocal(place):
            self.below.append(writer.texts[node[1]][0])
        elif not group:
            self.numbers.append(text)
        elif len(group) == 2 and group[0] == group[1]:
            self.parts.append(part(f"diag({text})", group[:1]))
        else:
            kept = [label for label in group if label not in self.single]
            whole = part(text, group) if not group or group[0] not in self.single else part(text, group).turned()
            self.parts.append(Part(whole.chain, kept))

    # ------------------------------------------------------------ steps
    def text(self) -> tuple[str, str]:
        """The formula, and what it repeats, if it only repeats that."""
        self.add_ones()
        if all(len(part.labels) <= 2 for part in self.parts) and len(set(self.out)) <= 2:
            while self.step():
                pass
        return self.scaled(self.shaped()), self.scaled(self.repeated()) if self.only_repeats() else ""

    def scaled(self, text: str) -> str:
        numbers = "*".join(self.numbers)
        text = f"({numbers}*{text})" if numbers and text else text or numbers or "1"
        return "/".join([text, *self.below]) if self.below else text

    def only_repeats(self) -> bool:
        ones = [p for p in self.parts if p.chain[0][0].startswith("ones(")]
        return bool(ones) and len(self.out) == len(set(self.out)) and all(len(p.labels) == 1 for p in self.parts)

    def repeated(self) -> str:
        """The column or row that is left without the ones; nothing for a number."""
        left = [p for p in self.parts if not p.chain[0][0].startswith("ones(")]
        if not left:
            return ""
        return left[0].text if left[0].labels == self.out[:1] else left[0].turned().text

    def add_ones(self) -> None:
        held = {label for part in self.parts for label in part.labels}
        for label, size in self.sizes.items():
            if label not in held and label not in self.out:
                self.numbers.append(size)
            elif label not in held:
                self.parts.append(part(f"ones({size})", [label]))

    def holders(self, label: int) -> list[Part]:
        return [part for part in self.parts if label in part.labels]

    def replace(self, old: list[Part], new: Part) -> bool:
        self.parts = [part for part in self.parts if all(part is not each for each in old)]
        if new.labels:
            self.parts.append(new)
        else:
            self.numbers.append(new.text)
        return True

    def step(self) -> bool:
        summed = sorted(
            {label for part in self.parts for label in part.labels if label not in self.out},
            key=lambda label: (len(self.holders(label)), label),
        )
        return any(self.contract(label) for label in summed) or self.merge()

    def contract(self, label: int) -> bool:
        held = self.holders(label)
        if len(held) == 1:
            (only,) = held
            if len(only.labels) == 1:
                return self.replace(held, part(f"sum({only.text})", []))
            turned = only.labels[0] == label
            text = f"sum({only.text}, axis={int(not turned)})"
            return self.replace(held, Part([(text, turned)], [other for other in only.labels if other != label]))
        if len(held) != 2 or set(held[0].labels) & set(held[1].labels) != {label}:
            return False
        return self.replace(held, product(held[0], held[1], label, self.out))

    def merge(self) -> bool:
        """Two factors on the same axes, or a column that scales a matrix."""
        for k, a in enumerate(self.parts):
            for b in self.parts[k + 1 :]:
                if set(a.labels) == set(b.labels):
                    same = b if b.labels == a.labels else b.turned()
                    return self.replace([a, b], part(f"{a.text}*{same.text}", a.labels))
        for column in (p for p in self.parts if len(p.labels) == 1):
            for matrix in self.parts:
                if len(matrix.labels) == 2 and column.labels[0] in matrix.labels:
                    text = f"{column.along(matrix)}*{matrix.text}"
                    return self.replace([column, matrix], part(text, matrix.labels))
        return False

    def shaped(self) -> str:
        """What is left, with the axes as they are to stand."""
        parts, out = self.parts, self.out
        if not parts and not out:
            return ""
        if len(set(out)) < len(out) and len(out) == 2 and len(parts) == 1 and parts[0].labels == out[:1]:
            return f"diag({parts[0].text})"
        if len(parts) == 1 and sorted(parts[0].labels) == sorted(out) and len(out) <= 2:
            return f"({parts[0].text if parts[0].labels == out else parts[0].turned().text})"
        if len(parts) == 2 and len(out) == 2 and all(len(p.labels) == 1 for p in parts):
            row, column = parts if parts[0].labels == out[:1] else parts[::-1]
            return f"({row.text} @ {column.turned().text})"
        return self.einsum()

    def einsum(self) -> str:
        letters: dict[int, str] = {}
        for label in [*(label for part in self.parts for label in part.labels), *self.out]:
            letters.setdefault(label, string.ascii_letters[len(letters)])
        spread, parts = list(self.out), list(self.parts)
        for k, label in enumerate(self.out):
            if label in self.out[:k]:  # a letter of the result occurs once: an identity joins the two
                spread[k] = 10_000 + k
                letters[spread[k]] = string.ascii_letters[len(letters)]
                parts.append(part(f"eye({self.sizes[label]})", [label, spread[k]]))
        groups = ",".join("".join(letters[label] for label in part.labels) for part in parts)
        out = "".join(letters[label] for label in spread)
        return f"einsum('{groups}->{out}', {', '.join(part.text for part in parts)})"


def singles(writer: Writer, group: list[int], place: int) -> list[int]:
    """The labels of axes of length 1, as far as ones tell."""
    node = writer.nodes[place]
    if node[0] in ("eye", "delta"):
        return group if writer.texts[node[1]][0] == "1" else []
    if node[0] != "ones":
        return []
    return [label for label, n in zip(group, node[1:], strict=True) if writer.texts[n][0] == "1"]


def product(a: Part, b: Part, label: int, out: list[int]) -> Part:
    """The matrix product over a label that both have, with the rows first that stand first in the result."""
    if len(a.labels) == 1 and len(b.labels) == 1:
        return part(f"{a.turned().text} @ {b.text}", [])
    first = next((other for other in a.labels if other != label), None)
    if first is None or first in out[1:]:
        a, b = b, a
    if len(a.labels) == 1:
        a, b = b, a
    a = a if a.labels[1] == label else a.turned()
    b = b if b.labels[0] == label else b.turned()
    return Part([*a.chain, *b.chain], [a.labels[0], *b.labels[1:]])

"""The chain, named: the partial derivatives on the way from the cost to the target, each with its true shape.

A matrix by matrix derivative has a number for each pair of entries. It is read off the change of the line: what stands
beside δA1[k,l] in δZ2[i,j].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whence.diff.differential import change
from whence.diff.jacobian import linear_terms
from whence.diff.model import Definition
from whence.expr.canonical import canonical
from whence.expr.node import Factor, Node, identity, variable
from whence.expr.sums import RawTerm, is_zero, make_sum
from whence.messages.errors import LimitError, RuleError
from whence.messages.lessons import LESSONS
from whence.notation.indices import LETTERS, SUBSCRIPTS, index_formula
from whence.notation.linear import NotLinear, coefficient
from whence.notation.linear import is_zero as is_nothing
from whence.notation.pieces import NotMatrix
from whence.notation.scalars import NotScalars, print_scalar
from whence.notation.unicode import display_name
from whence.notation.words import describe_sizes, shape_in_words
from whence.shapes.words import is_scalar
from whence.steps.derivation import children, route
from whence.steps.lesson import Lesson
from whence.steps.numbers import grid, rows_of

MOST_WAYS = 8
MOST_ENTRIES = 64  # of a derivative that is shown as blocks
CHAIN_WHERE = "  " + LESSONS["chain-where"]


@dataclass(frozen=True)
class Link:
    """One partial derivative on the way: how a line changes with one name in it, all others fixed."""

    of: Definition
    by: str
    differential: Node
    mark: Node

    @property
    def name(self) -> str:
        return f"∂{display_name(self.of.name)}/∂{display_name(self.by)}"

    def local(self) -> Node:
        """The derivative as one array: the axes of the line, then those of the name."""
        rank, more = self.differential.rank, self.mark.rank
        raw: list[RawTerm] = []
        for c, factors in linear_terms(self.differential, self.mark):
            places = next(idx for f, idx, _ in factors if f is self.mark)
            new: dict[int, int] = {}
            extra: list[Factor] = []
            for k, i in enumerate(places):
                if i >= rank and i not in new:
                    new[i] = rank + k
                else:
                    extra.append((identity(self.mark.dims[k]), (new.get(i, i), rank + k), 1))
            rest = [
                (f, tuple(i if i < rank else new.get(i, i + more) for i in idx), e)
                for f, idx, e in factors
                if f is not self.mark
            ]
            raw.append((c, [*rest, *extra]))
        return make_sum(raw, (*self.differential.dims, *self.mark.dims))


def links(lesson: Lesson) -> list[Link]:
    """Every partial derivative on a way from the output to the target, the output first."""
    model = lesson.forward
    assert model is not None
    way = route(model, lesson.target, lesson.output, {})
    out: list[Link] = []
    for d in reversed(way):
        for child in reversed(children(d, lesson.target, way, {})):
            atom = model.atom(child)
            mark = variable("δ" + child, atom.dims)
            try:
                differential = change(d.body.node, {atom: mark}, model.rewriter)
            except RuleError:
                continue
            if not is_zero(differential):
                out.append(Link(d, child, differential, mark))
    return _without_plain_sum(lesson, out)


def _without_plain_sum(lesson: Lesson, found: list[Link]) -> list[Link]:
    """A loss that the cost only adds up is taken together with it: J is then given by what the loss is made of."""
    first = [k for k in found if k.of.name == lesson.output]
    if len(first) != 1 or first[0].by == lesson.target or not _is_plain(first[0]):
        return found
    loss = [k for k in found if k.of.name == first[0].by]
    if any(k.by == lesson.target for k in loss):
        loss = []
    return [k for k in found if k is not first[0] and k not in loss]


def _is_plain(link: Link) -> bool:
    return all(
        not f.rank for _, fs in linear_terms(link.differential, link.mark) for f, _, _ in fs if f is not link.mark
    )


def ways(lesson: Lesson, found: Iterable[Link]) -> list[list[Link]]:
    """Every way from the cost to the target; at most a few."""
    by: dict[str, list[Link]] = {}
    for link in found:
        by.setdefault(link.by, []).append(link)
    out: list[list[Link]] = []
    work: list[list[Link]] = [[k] for k in by.get(lesson.target, [])]
    while work and len(out) <= MOST_WAYS:
        path = work.pop(0)
        further = by.get(path[0].of.name, [])
        if further:
            work += [[k, *path] for k in further]
        else:
            out.append(path)
    return out


# ---------------------------------------------------------------- as text


def chain(lesson: Lesson, given: Mapping[str, int]) -> str:
    """The chain with its partial derivatives, their shapes, their entries, and how they are combined."""
    found = links(lesson)
    paths = ways(lesson, found)
    sizes = {**lesson.small(), **given}
    target, output = display_name(lesson.target), display_name(lesson.output)
    lines = [LESSONS["chain-title"].format(output=output, target=target)]
    if len(paths) == 1:
        lines.append(
            "  "
            + LESSONS["chain-way"].format(
                output=output, target=target, names=_names(paths[0], lesson) or LESSONS["chain-at-once"]
            )
        )
    elif paths:
        lines.append("  " + LESSONS["chain-ways"].format(output=output, target=target, count=len(paths)))
        lines += ["    " + _arrows(path, lesson) for path in paths[:MOST_WAYS]]
    lines.append(LESSONS["chain-partials"])
    lines += [f"  {text}" for text in _partials(lesson, found)]
    parts = {k.by for k in found if sum(o.by == k.by for o in found) > 1}
    for link in found:
        lines += _explained(lesson, link, sizes, link.by in parts)
    lines = _said_once(lines)
    if any(k.differential.rank + k.mark.rank == 4 for k in found):
        lines.append(LESSONS["chain-moral"])
    return "\n".join(lines)


def _names(path: list[Link], lesson: Lesson) -> str:
    """The names between the output and the target, nearest to the target first."""
    return ", ".join(display_name(k.of.name) for k in reversed(path) if k.of.name != lesson.output)


def _arrows(path: list[Link], lesson: Lesson) -> str:
    names = [k.of.name for k in path if k.of.name != lesson.output]
    return " ← ".join(display_name(n) for n in (lesson.output, *names, lesson.target))


def _partials(lesson: Lesson, found: list[Link]) -> list[str]:
    """The derivatives of the cost by the first names, then one line for each partial."""
    first = dict.fromkeys(k.of.name for k in found if not any(o.by == k.of.name for o in found))
    out: list[str] = []
    for name in first:
        if name != lesson.output:
            partial = f"∂{display_name(lesson.output)}/∂{display_name(name)}"
            shape = shape_in_words(lesson.shapes[name])
            text = LESSONS["chain-gradient"].format(partial=partial, by=display_name(name), shape=shape)
            out.append(f"{text}    d{display_name(name)} = {lesson.gradient(name)}")
    return out + [_array(lesson, link) for link in found]


def _array(lesson: Lesson, link: Link) -> str:
    dims = (*link.differential.dims, *link.mark.dims)
    shape = " × ".join(map(str, dims)) or "1"
    kind = LESSONS[f"chain-kind-{len(dims)}"] if len(dims) <= 4 else f"{len(dims)} indices"
    if is_scalar(lesson.shapes[link.of.name]):
        return LESSONS["chain-gradient"].format(
            partial=link.name, by=display_name(link.by), shape=shape_in_words(lesson.shapes[link.by])
        )
    return LESSONS["chain-array"].format(
        partial=link.name, of=display_name(link.of.name), by=display_name(link.by), shape=shape, kind=kind
    )


def _said_once(lines: list[str]) -> list[str]:
    """What [i = j] means is said where it first stands."""
    first = lines.index(CHAIN_WHERE) if CHAIN_WHERE in lines else len(lines)
    return [text for k, text in enumerate(lines) if text != CHAIN_WHERE or k == first]


def _explained(lesson: Lesson, link: Link, sizes: Mapping[str, int], is_part: bool) -> list[str]:
    """One partial: the line it comes from, its entries, its blocks, and the product that it becomes."""
    lines = ["", f"{link.name}    from {lesson.line(link.of.name)}"]
    try:
        local = link.local()
    except (LimitError, ValueError, StopIteration):
        return lines
    entry = index_formula(local).partition(" = ")[2]
    if local.rank <= len(LETTERS):
        place, name = _places(link)
        if "[" in entry and " = " in entry:
            lines.append(CHAIN_WHERE)
        lines.append(f"  ∂{display_name(link.of.name)}{place}/∂{display_name(link.by)}{name} = {entry}")
    if link.mark.rank and link.differential.rank:
        lines += _blocks(lesson, link, sizes)
    return lines + _collapsed(lesson, link, local, is_part)


def _places(link: Link) -> tuple[str, str]:
    rank, more = link.differential.rank, link.mark.rank
    first, second = LETTERS[:rank], LETTERS[rank : rank + more]
    return (f"[{','.join(first)}]" if first else ""), (f"[{','.join(second)}]" if second else "")


def entries(lesson: Lesson, link: Link, sizes: Mapping[str, int]) -> dict[tuple[str, str], str]:
    """The derivative of each entry of the line by each entry of the name, as text. Raises NotScalars, NotLinear."""
    tree = lesson.style.tree(link.differential, lesson.style.is_row(link.of.name))
    out: dict[tuple[str, str], str] = {}
    for place in lesson.places(link.of.name, sizes):
        changed = lesson.scalar(tree, place, sizes)
        for at in lesson.places(link.by, sizes):
            own = "δ" + lesson.entry_id(link.by, at, sizes)
            beside = coefficient(changed, own)
            text = "0" if is_nothing(beside) else print_scalar(beside)
            out[lesson.entry(link.of.name, place, sizes), lesson.entry(link.by, at, sizes)] = text
    return out


def _blocks(lesson: Lesson, link: Link, sizes: Mapping[str, int]) -> list[str]:
    """For each entry of the line one block in the shape of the name."""
    count = len(lesson.places(link.of.name, sizes)) * len(lesson.places(link.by, sizes))
    if count > MOST_ENTRIES:
        return []
    try:
        table = entries(lesson, link, sizes)
    except (NotScalars, NotLinear, NotMatrix):
        return []
    zeros = sum(text == "0" for text in table.values())
    lines = [
        "  "
        + LESSONS["chain-blocks"].format(
            sizes=describe_sizes(sizes),
            partial=link.name,
            count=count,
            zeros=zeros or "none",
            of=display_name(link.of.name),
        )
    ]
    by_rows = [[lesson.entry(link.by, p, sizes) for p in row] for row in rows_of(lesson, link.by, sizes)]
    for row in rows_of(lesson, link.of.name, sizes):
        blocks = []
        for place in row:
            own = lesson.entry(link.of.name, place, sizes)
            head = f"∂{own}/∂{display_name(link.by)} = "
            body = grid([[table[own, b] for b in line] for line in by_rows], "")
            blocks.append([(head if k == 0 else " " * len(head)) + text for k, text in enumerate(body)])
        width = max(len(text) for block in blocks for text in block)
        for k in range(len(by_rows)):
            lines.append(("    " + "    ".join(block[k].ljust(width) for block in blocks)).rstrip())
    return lines


def _collapsed(lesson: Lesson, link: Link, local: Node, is_part: bool) -> list[str]:
    """The sum over all entries of the line, in which the zeros leave one sum, and its matrix form."""
    if not link.differential.rank or not link.mark.rank:
        return []
    rank, more = link.differential.rank, link.mark.rank
    known = variable("d" + link.of.name, link.differential.dims)
    axes = tuple(range(more, more + rank))
    whole = make_sum([(1, [(known, axes, 1), (local, (*axes, *range(more)), 1)])], link.mark.dims)
    if len(local.terms) > 1:
        whole = canonical(whole)
    # The letters of the name come first in the sum that is left, those of the line are summed over.
    outer, inner = LETTERS[:more], LETTERS[more : more + rank]
    left = f"∂{display_name(lesson.output)}/∂{display_name(link.by)}[{','.join(outer)}]"
    sign = "Σ" + "".join(SUBSCRIPTS.get(c, c) for c in inner)
    adjoint = f"∂{display_name(lesson.output)}/∂{display_name(link.of.name)}[{','.join(inner)}]"
    partial = f"∂{display_name(link.of.name)}[{','.join(inner)}]/∂{display_name(link.by)}[{','.join(outer)}]"
    own = f"d{display_name(link.of.name)}"
    means = f"∂{display_name(lesson.output)}/∂{display_name(link.of.name)}"
    lines = [
        f"  {left} = {sign} {adjoint} · {partial}",
        f"    = {index_formula(whole).partition(' = ')[2]}    "
        + LESSONS["chain-collapse"].format(own=own, means=means),
    ]
    try:
        formula = lesson.text(lesson.style.tree(whole, lesson.style.is_row(link.by)))
    except NotMatrix:
        return lines
    by, of = display_name(link.by), display_name(link.of.name)
    if is_part:
        return [*lines, "  " + LESSONS["chain-read-off-part"].format(name="d" + by, of=of, formula=formula)]
    return [*lines, "  " + LESSONS["chain-read-off"].format(formula=f"d{by} = {formula}")]

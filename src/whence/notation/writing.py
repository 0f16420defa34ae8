"""An answer in the person's own way of writing: the inverse of reading, and verified by it.

`written` reads what it wrote again, in the same dialect and with the same shapes, and gives a text only if the same
formula comes back (`same`). So a text says what the formula says, or there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, islice

from whence.messages.errors import ReadError, RefusedError, WhenceError
from whence.notation.code import NumPy, Octave
from whence.notation.course import Course
from whence.notation.latex import Latex
from whence.notation.markdown import escaped, unescaped
from whence.notation.same import same
from whence.notation.textbook import ShapeOf, Textbook
from whence.notation.unicode import Unicode
from whence.ops.table import TABLE
from whence.read.canonical import to_text
from whence.read.dialects import CANONICAL, CODE, LATEX, LECTURE, OCTAVE
from whence.read.reading import read_typed
from whence.read.syntax import Call, Expr
from whence.read.walk import walk

Manner = Callable[[ShapeOf, frozenset[str]], Textbook]


@dataclass(frozen=True, slots=True)
class Writing:
    """A way of writing: its printers, the preferred first, and the reader's dialect. None: the canonical language."""

    called: str
    read_as: str
    manners: tuple[Manner, ...] = ()
    markdown: bool = False  # what Markdown would take for its own is escaped
    code: bool = False  # a name on the left is one word

    def left(self, plain: str, latex: str, word: str) -> str:
        """What stands left of a derivative that has no name, of these texts."""
        if self.code:
            return word
        shown = latex if self.read_as == LATEX.name else plain
        return escaped(shown) if self.markdown else shown


COURSE = Writing("the course's notation", LECTURE.name, (Course, partial(Course, clear=True)))
_SAFE = Writing("the course's notation in Markdown", COURSE.read_as, COURSE.manners, markdown=True)

WRITINGS: dict[str, Writing] = {
    "unicode": Writing("textbook notation", LECTURE.name, (Unicode,)),
    "course": COURSE,
    "latex": Writing("LaTeX", LATEX.name, (Latex, partial(Latex, clear=True))),
    "numpy": Writing("NumPy", CODE.name, (NumPy,), code=True),
    "octave": Writing("Octave", OCTAVE.name, (Octave,), code=True),
    "canonical": Writing("the canonical language", CANONICAL.name, code=True),
    "discourse": _SAFE,
    "github": _SAFE,
    "jupyter": _SAFE,
}

_CHOICES = 64  # of functions that are called by their names; then all of them are


def writing(name: str) -> Writing:
    """The way of writing with this name. Raises ReadError `bad-option`."""
    if name not in WRITINGS:
        raise ReadError("bad-option", found=f"dialect {name!r}", expected="one of " + ", ".join(WRITINGS))
    return WRITINGS[name]


def write(tree: Expr, dialect: str, shape_of: ShapeOf) -> str:
    """The formula in a dialect of WRITINGS, as it is written by preference and not read again.

    `shape_of` gives the full shape of any part: () a number, (n, 1) a column, (n, m) a matrix.

    >>> from whence.read.parser import parse_expression
    >>> tree = parse_expression("W2.T @ dZ2 * g1_prime(Z1)")
    >>> for name in ("course", "octave", "discourse"):
    ...     print(write(tree, name, lambda part: ("n", "m")))
    W^[2]T dZ^[2] * g^[1]'(Z^[1])
    W2' * dZ2 .* g1_prime(Z1)
    W^\\[2\\]T dZ^\\[2\\] \\* g^\\[1\\]'(Z^\\[1\\])
    """
    way = writing(dialect)
    text = next(_texts(tree, way, shape_of))
    return escaped(text) if way.markdown else text


def written(
    tree: Expr,
    dialect: str,
    shape_of: ShapeOf,
    shapes: Mapping[str, Sequence[object]],
    functions: Iterable[str] = (),
    target: str = "",
) -> str:
    """The formula in a dialect, of which reading gives the same formula again; `target = formula` with a target.

    `shapes` are those of the names, `functions` the unknown ones. Raises RefusedError `not-expressible-in` where no
    text of the dialect is read as this formula.
    """
    way = writing(dialect)
    given = {
        "variables": {name: [str(size) for size in shape] for name, shape in shapes.items()},
        "functions": dict.fromkeys(functions, "elementwise"),
    }
    for text in _texts(tree, way, shape_of):
        whole = f"{_name(target, way, shape_of)} = {text}" if target else text
        shown = escaped(whole) if way.markdown else whole
        if _comes_back(tree, target, unescaped(shown) if way.markdown else shown, way, given, shape_of):
            return shown
    raise RefusedError("not-expressible-in", found=to_text(tree), dialect=way.called)


def _comes_back(
    tree: Expr, target: str, text: str, way: Writing, given: Mapping[str, object], shape_of: ShapeOf
) -> bool:
    """Is the text read as this formula, and as nothing else?"""
    try:
        lines = read_typed(text, given, way.read_as).lines
    except WhenceError:
        return False
    if len(lines) != 1 or lines[0].target != target or lines[0].parameter or lines[0].left is not None:
        return False
    try:
        return same(tree, lines[0].expression, shape_of)
    except WhenceError:  # what came back has no shape
        return False


def _name(target: str, way: Writing, shape_of: ShapeOf) -> str:
    return way.manners[0](shape_of, frozenset()).name(target) if way.manners else target


def _texts(tree: Expr, way: Writing, shape_of: ShapeOf) -> Iterator[str]:
    """The texts of a formula, the preferred first: then with ever more functions called by their names."""
    if not way.manners:
        yield to_text(tree)
        return
    used = sorted({node.name for node in walk(tree) if isinstance(node, Call) and node.name in TABLE})
    few = (frozenset(names) for size in range(len(used)) for names in combinations(used, size))
    choices = dict.fromkeys([*islice(few, _CHOICES), frozenset(used)])
    seen: set[str] = set()
    refusal: RefusedError | None = None
    for plain in choices:
        for manner in way.manners:
            try:
                text = manner(shape_of, plain).text(tree)
            except RefusedError as error:
                refusal = error
                continue
            if text not in seen:
                seen.add(text)
                yield text
    if refusal is not None:
        raise refusal

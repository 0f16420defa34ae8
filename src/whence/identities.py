"""Rules and identities: found by words or by form, and proved on request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

from whence.laws.identities import IDENTITIES
from whence.laws.identity import Identity
from whence.laws.layers import FOLLOWED, LAYERS
from whence.laws.matching import matches, size
from whence.laws.rules import CHAIN_RULES, MATRIX, NUMBER, VECTOR, ChainRule
from whence.messages.catalogue import nearest
from whence.messages.errors import UnknownError, WhenceError
from whence.ops.table import lookup
from whence.read.parser import parse_expression
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Function, Name
from whence.read.vocabulary import PRIME
from whence.read.walk import names_in, walk
from whence.shapes.words import is_scalar

if TYPE_CHECKING:
    from whence.net import Derivative, Net
    from whence.shapes.dims import Dim

Entry = ChainRule | Identity
TABLE: tuple[Entry, ...] = (*CHAIN_RULES, *LAYERS, *IDENTITIES)
_WORD = re.compile(r"[^\W_]+")
MOST_FUNCTIONS = 3  # unknown functions of a formula that are tried for those of an identity
FIRST_WORDS = 5  # of a function's sentence: what it is
_SMALL = frozenset(("of", "by", "the", "a", "an", "with", "for", "derivative", "gradient", "and"))


# ---------------------------------------------------------------- by words


def search(words: str, count: int = 10) -> list[Entry]:
    """The entries that speak of all these words, the nearest first; of the most words, where none has all.

    >>> search("backward product left factor")[0].name
    'backward of a product, left factor'
    """
    wanted = [w for w in map(str.lower, _WORD.findall(words)) if w not in _SMALL]
    if not wanted:
        return []
    scored = []
    for place, entry in enumerate(TABLE):
        known = _known_words(entry)
        told = _words_of_source(entry)
        hits = [max(max((_score(w, k) for k in known), default=0), int(w in told)) for w in wanted]
        if any(hits):
            length = size(_parsed(entry.expression, entry.functions)) if isinstance(entry, Identity) else 0
            scored.append((-sum(h > 0 for h in hits), -sum(hits), length, place, entry))
    scored.sort(key=lambda s: s[:4])
    full = [s for s in scored if -s[0] == len(wanted)]
    return [s[-1] for s in (full or scored)[:count]]


def _score(wanted: str, known: str) -> int:
    return 3 if wanted == known else 2 if len(wanted) > 2 and known.startswith(wanted) else 0


@lru_cache(1024)
def _known_words(entry: Entry) -> frozenset[str]:
    texts = [entry.name, entry.words]
    if isinstance(entry, Identity):
        tree = _parsed(entry.expression, entry.functions)
        for node in walk(tree):
            if isinstance(node, Call):
                op = lookup(node.name)
                texts += [node.name, " ".join(op.sentence.split()[:FIRST_WORDS]) if op is not None else ""]
    else:
        texts += [entry.formula, entry.layout]
    return frozenset(w.lower() for text in texts for w in _WORD.findall(text))


@lru_cache(1024)
def _words_of_source(entry: Entry) -> frozenset[str]:
    return frozenset(w.lower() for w in _WORD.findall(entry.source))


@lru_cache(2048)
def _parsed(text: str, functions: tuple[str, ...] = ()) -> Expr:
    return parse_expression(text, dialect="canonical", functions=functions)


def named(name: str) -> Entry:
    """The entry of this name. Raises UnknownError `unknown-identity` with near names."""
    found = next((e for e in TABLE if e.name == name), None)
    if found is not None:
        return found
    close = nearest(name, [e.name for e in TABLE], distance=4)
    help = f"Did you mean {' or '.join(close)}?" if close else ""
    raise UnknownError("unknown-identity", found=name[:80], expected=", ".join(close), help=help)


# ---------------------------------------------------------------- by form


@dataclass(frozen=True)
class Match:
    """An identity that has the form of a formula: what its names stand for, and the derivative so found, checked."""

    identity: Identity
    bindings: Mapping[str, str]
    formula: str
    text: str  # as a textbook writes it
    expression: str = ""  # what was differentiated, as a textbook writes it
    needs: str = ""  # what the identity assumes and the formula's declarations do not say

    def __str__(self) -> str:
        return self.text


def match(expression: str, wrt: str, shapes: str | None = None, assume: str | None = None) -> list[Match]:
    """The identities whose form a formula has, the closest first; each outcome is checked by the judge.

    Raises ReadError, ShapeError as a model does.

    >>> found = match("trace(A @ inv(X))", wrt="X")[0]
    >>> found.identity.expression, found.formula
    ('trace(A @ inv(X) @ B)', '-inv(X).T @ A.T @ inv(X).T')
    """
    from whence.net import Net
    from whence.read.model import read_model

    net = Net(read_model(expression, shapes, assume))
    wrt = net.named(wrt)
    found = _all_fitted(net, wrt)
    if not found and not is_scalar(net.engine.shapes[net.model.targets[-1]]):
        found = _all_fitted(_followed(net), wrt)
    found.sort(key=_distance)
    return found


def _distance(found: Match) -> tuple[bool, int, int]:
    """How far an identity is from a formula: what it needs, the names left out, how little of it is fixed."""
    left_out = sum(value == "I" for value in found.bindings.values())
    return bool(found.needs), left_out, -size(_parsed(found.identity.expression, found.identity.functions))


def _all_fitted(net: Net, wrt: str) -> list[Match]:
    tree = net.model.statements[-1].expression
    return [match for entry in (*LAYERS, *IDENTITIES) for match in _fitted(entry, tree, wrt, net)[:1]]


def _followed(net: Net) -> Net:
    """The model with a cost after its last line: what follows is known by the gradient G alone."""
    from whence.net import Net

    *before, last = net.model.statements
    shapes = {name: tuple(map(str, net.engine.shapes[name])) for name in net.engine.inputs}
    upstream = next(name for name in ("G", "G_up", *map("G_{}".format, range(100))) if name not in net.engine.shapes)
    tree = substituted(_parsed(FOLLOWED), {"G": Name(upstream), "Y": last.expression})
    shapes[upstream] = tuple(map(str, net.engine.shapes[last.target]))
    return Net(replace(net.model, statements=(*before, replace(last, expression=tree)), shapes=shapes))


def _fitted(entry: Identity, tree: Expr, wrt: str, net: Net) -> list[Match]:
    out = []
    for functions in permutations(_functions_in(tree, net)[:MOST_FUNCTIONS], len(entry.functions)):
        called = dict(zip(entry.functions, functions, strict=True))
        pattern = _calling(_parsed(entry.expression, entry.functions), called)
        derivative = _calling(_parsed(entry.derivative, entry.functions), called)
        free = names_in(pattern) - {entry.wrt}
        for bound in _with_units(pattern, tree, frozenset(free), {entry.wrt: wrt}):
            bound = {**bound, entry.wrt: Name(wrt)}
            if not _same_kinds(entry, bound, net):
                continue
            given = _without_units(substituted(derivative, bound))
            where, needs = net, ""
            if not _holds(net, wrt, given):
                where, needs = _assuming(entry, bound, net)
                if not needs or not _holds(where, wrt, given):
                    continue
            bindings = {k: "I" if v == _UNIT else net.text(v) for k, v in bound.items()} | called
            d = where.derivative(net.model.targets[-1], [wrt])
            out.append(Match(entry, bindings, d.formula, net.text(d.answer.tree), net.text(tree), needs))
    return out


def _assuming(entry: Identity, bound: Mapping[str, Expr], net: Net) -> tuple[Net, str]:
    """The model with what the identity assumes of its names, and that in words; empty where it assumes nothing."""
    from whence.net import Net

    more = {value.id: tags for own, tags in (_assumed(entry) or {}).items() if isinstance(value := bound[own], Name)}
    if not more:
        return net, ""
    known = net.model.assumptions
    assumptions = {**known, **{name: (*known.get(name, ()), *tags) for name, tags in more.items()}}
    said = ", ".join(f"{name}: {', '.join(tags)}" for name, tags in more.items())
    return Net(replace(net.model, assumptions=assumptions)), said


def _functions_in(tree: Expr, net: Net) -> list[str]:
    """The functions of a formula that act entry by entry, the unknown ones first."""
    called = sorted({node.name for node in walk(tree) if isinstance(node, Call)} - {*net.model.functions})
    known = [name for name in called if (op := lookup(name)) is not None and op.kind == "elementwise"]
    return [*net.model.functions, *known]


def _calling(tree: Expr, functions: Mapping[str, str]) -> Expr:
    """The formula with other unknown functions, and their derivatives, in the place of its own."""
    rules = {
        own + PRIME * primes: Function(own, "z", Call(other + PRIME * primes, (Name("z"),)))
        for own, other in functions.items()
        for primes in range(3)
        if own != other
    }
    return substituted(tree, functions=rules)


def _same_kinds(entry: Identity, bound: Mapping[str, Expr], net: Net) -> bool:
    """Does every name stand for what it is declared as: a number, a vector, a matrix?"""
    declared = dict(part.split(": ", 1) for part in entry.shapes.split(", "))
    for name, tree in bound.items():
        if tree == _UNIT or name not in declared:
            continue
        sizes = declared[name].split(" x ")
        wanted = NUMBER if sizes == ["scalar"] else MATRIX if len(sizes) == 2 and "1" not in sizes else VECTOR
        try:
            if kind_of_shape(net.shape_of(tree)) != wanted:
                return False
        except WhenceError:
            return False
    return True


_UNIT = Name("identity_matrix")


def _with_units(pattern: Expr, tree: Expr, free: frozenset[str], fixed: Mapping[str, str]) -> list[dict[str, Expr]]:
    """Matches, also with one factor of the pattern left out: A X B with B the identity matrix is A X."""
    found = matches(pattern, tree, free, fixed)
    for name in sorted(free, reverse=True) if not found else ():
        shorter = _dropped(pattern, name)
        if shorter is not None:
            found += [{**bound, name: _UNIT} for bound in matches(shorter, tree, free - {name}, fixed)]
    return found


def _dropped(tree: Expr, name: str) -> Expr | None:
    """The formula without a factor that stands only in matrix products."""
    short = _without_units(substituted(tree, {name: _UNIT}))
    return None if _UNIT.id in names_in(short) else short


def _without_units(tree: Expr) -> Expr:
    from whence.laws.matching import plain
    from whence.read.syntax import Negative, Transpose

    match plain(tree):
        case Binary(operator="@", left=a, right=b):
            a, b = _without_units(a), _without_units(b)
            units = (_UNIT, Transpose(_UNIT))
            return b if a in units else a if b in units else Binary("@", a, b)
        case Binary(operator=o, left=a, right=b):
            return Binary(o, _without_units(a), _without_units(b))
        case Negative(operand=a):
            return Negative(_without_units(a))
        case Call(name=f, arguments=a, keywords=k):
            return Call(f, tuple(_without_units(x) for x in a), k)
        case other:
            return other


def _holds(net: Net, wrt: str, derivative: Expr) -> bool:
    """Does the judge accept the derivative that the table gives for this formula?"""
    from whence.verify.claim import Claim
    from whence.verify.judge import check

    setting = net.setting
    try:
        net.shape_of(derivative)
    except WhenceError:
        return False
    *before, last = setting.definitions
    return check(
        Claim(
            dict(setting.inputs),
            dict(setting.assume),
            setting.functions,
            tuple(before),
            last[1],
            (wrt,),
            derivative,
            defined=setting.defined,
        )
    ).ok


def derivation(entry: Identity) -> Derivative:
    """The derivative of an identity, derived anew, with its steps.

    >>> str(derivation(named("backward of a product, right factor")))
    'dX = Wᵀ G'
    """
    from whence.net import Net
    from whence.read.model import read_model

    read = read_model(entry.expression, entry.shapes, _assumed(entry), entry.functions or None, "canonical")
    net = Net(read, hidden=read.targets[-1:])
    return net.derivative(net.model.targets[-1], [entry.wrt])


def _assumed(entry: Identity) -> dict[str, list[str]] | None:
    if not entry.assume:
        return None
    out: dict[str, list[str]] = {}
    for word in entry.assume.split(", "):
        name, sign, tag = word.partition(": ")
        if sign:
            out[name] = [tag]
        else:
            out[list(out)[-1]].append(word)
    return out


# ---------------------------------------------------------------- kinds


def kind_of(net: Net, name: str) -> str:
    """Number, vector or matrix."""
    return kind_of_shape(net.engine.shapes[name])


def kind_of_shape(shape: Sequence[Dim]) -> str:
    """Number, vector or matrix, by a shape."""
    from whence.shapes.words import ONE

    shape = tuple(shape)
    if is_scalar(shape):
        return NUMBER
    return VECTOR if len(shape) == 2 and ONE in shape else MATRIX

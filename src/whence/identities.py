"""Rules and identities: found by words or by form, proved on request, and judged: may I use this one here?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

from whence.laws.identities import IDENTITIES
from whence.laws.identity import Identity
from whence.laws.layers import FOLLOWED, LAYERS
from whence.laws.matching import matches, size
from whence.laws.rules import ANY, CHAIN_RULES, MATRIX, NUMBER, VECTOR, ChainRule
from whence.messages.catalogue import nearest
from whence.messages.errors import ReadError, UnknownError, WhenceError
from whence.messages.lookups import LOOKUPS
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
    found.sort(key=lambda m: -size(_parsed(m.identity.expression, m.identity.functions)))
    return found


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
    for functions in permutations(net.model.functions[:MOST_FUNCTIONS], len(entry.functions)):
        called = dict(zip(entry.functions, functions, strict=True))
        pattern = _calling(_parsed(entry.expression, entry.functions), called)
        derivative = _calling(_parsed(entry.derivative, entry.functions), called)
        free = names_in(pattern) - {entry.wrt}
        for bound in _with_units(pattern, tree, frozenset(free), {entry.wrt: wrt}):
            bound = {**bound, entry.wrt: Name(wrt)}
            if not _same_kinds(entry, bound, net) or not _holds(net, wrt, _without_units(substituted(derivative, bound))):
                continue
            bindings = {k: "I" if v == _UNIT else net.text(v) for k, v in bound.items()} | called
            d = net.derivative(net.model.targets[-1], [wrt])
            out.append(Match(entry, bindings, d.formula, net.text(d.answer.tree), net.text(tree)))
    return out


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


# ---------------------------------------------------------------- may I use this rule here?


@dataclass(frozen=True)
class Use:
    """A use of a rule, judged. `faults` is empty where it may be used."""

    rule: ChainRule
    faults: tuple[str, ...]
    said: tuple[str, ...]  # what else is to be said: the path, the layout, the rule that applies

    def __str__(self) -> str:
        return "\n".join([*(f"- {fault}" for fault in self.faults), *self.said])


def may_use(rule: ChainRule | str, bindings: Sequence[tuple[str, str]], net: Net) -> Use:
    """May the rule be used with its symbols standing for these names of a model?

    Every fault is named: a kind that does not fit, one symbol for two things, an order that the model does not have.
    Whether the path is right is said even where the product is not, and then the rule that does apply.
    """
    if isinstance(rule, str):
        found = named(rule)
        if not isinstance(found, ChainRule):
            raise ReadError("bad-option", found=rule, expected="a rule, such as vector-chain-rule")
        rule = found
    values: dict[str, list[str]] = {}
    faults: list[str] = []
    for symbol, text in bindings:
        if symbol not in rule.kinds:
            faults.append(LOOKUPS["fault-unknown"].format(symbol=symbol, symbols=", ".join(rule.symbols)))
            continue
        name = model_name(net, text)
        if name not in values.setdefault(symbol, []):
            values[symbol].append(name)
    faults += _kind_faults(rule, values, net)
    for symbol, names in values.items():
        if len(names) > 1:
            faults.append(LOOKUPS["fault-twice"].format(symbol=symbol, values=" and ".join(names)))
    path = _in_order([n for s in rule.symbols for n in values.get(s, [])], net)
    order = _order_faults(rule, values, net)
    return Use(rule, (*faults, *order), tuple(_further(rule, path, net, bool(faults), not order)))


def model_name(net: Net, text: str) -> str:
    """The name of a model that a text means: z^[1] is Z1. Raises UnknownError."""
    plain = re.sub(r"[\\^_{}\[\]\s()]", "", text)
    known = [*net.engine.shapes]
    for name in known:
        if name == plain:
            return name
    for name in known:
        if name.lower() == plain.lower():
            return name
    raise UnknownError("unknown-target", found=text.strip()[:64], expected=", ".join(nearest(plain, known) or known))


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


def _kind_faults(rule: ChainRule, values: Mapping[str, list[str]], net: Net) -> list[str]:
    wrong: dict[tuple[str, str], list[str]] = {}
    for symbol, names in values.items():
        for name in names:
            kind = kind_of(net, name)
            if rule.kinds[symbol] not in (ANY, kind):
                wrong.setdefault((rule.kinds[symbol], kind), []).append(name)
    plural = {NUMBER: "numbers", VECTOR: "vectors", MATRIX: "matrices"}
    out = []
    for (wanted, kind), names in wrong.items():
        names = list(dict.fromkeys(names))
        one = len(names) == 1
        found = LOOKUPS[f"kind-{kind}"] if one else LOOKUPS[plural[kind]]
        key = "fault-kinds-one" if one else "fault-kinds"
        out.append(LOOKUPS[key].format(kind=LOOKUPS[plural[wanted]], values=_and(names), found=found))
    return out


def _order_faults(rule: ChainRule, values: Mapping[str, list[str]], net: Net) -> list[str]:
    chosen = [values[s][0] for s in rule.symbols if s in values]
    return [
        LOOKUPS["fault-order"].format(earlier=a, later=b)
        for a, b in zip(chosen, chosen[1:], strict=False)
        if a not in net.reach(b)
    ]


def _in_order(names: Iterable[str], net: Net) -> list[str]:
    """The names in the order of the model's lines."""
    order = {n: k for k, n in enumerate([*net.engine.inputs, *net.model.targets])}
    return sorted(dict.fromkeys(names), key=lambda n: order[n])


def _further(rule: ChainRule, path: list[str], net: Net, wrong: bool, ordered: bool) -> list[str]:
    out: list[str] = []
    if rule.layout:
        out.append(LOOKUPS["written-in"].format(layout=rule.layout))
    follows = len(path) > 1 and all(a in net.reach(b) for a, b in zip(path, path[1:], strict=False))
    if follows and (wrong or not ordered):
        try:
            output = net.cost
        except WhenceError:
            output = ""
        leads = bool(output) and path[-1] in net.reach(output) and path[-1] != output
        label = "path-right" if leads else "path-right-short"
        out.append(LOOKUPS[label].format(path=" → ".join(path), output=output))
    if wrong and any(kind_of(net, n) == MATRIX for n in path):
        out.append(LOOKUPS["product-wrong"].format(found=LOOKUPS["kind-matrix"]))
    if wrong or not ordered:
        right = _that_applies(net)
        out.append(LOOKUPS["applies"].format(formula=right.formula, name=right.name))
        out += _here(path, net)
    return out


def _that_applies(net: Net) -> ChainRule:
    wanted = "gradient-chain-rule" if net.model.targets else "matrix-chain-rule"
    return next(r for r in CHAIN_RULES if r.name == wanted)


def _here(path: list[str], net: Net) -> list[str]:
    try:
        return [LOOKUPS["here"].format(formula=str(net.gradient(path[0])))] if path else []
    except WhenceError:
        return []


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


# ---------------------------------------------------------------- a product of partial derivatives, as typed

_FRACTION = re.compile(r"\\d?frac\{([^{}]{1,60})\}\{([^{}]{1,60})\}")
_LAYER = re.compile(r"\^?\\?\{?\\?\[(\d{1,2}|[lL])\\?\]\}?|\^\{\\?\[?(\d{1,2})\\?\]?\}")
_PARTIAL = re.compile(r"[∂d](\w{1,24})/[∂d](\w{1,24})")
LONGEST = 10_000


def partials_in(line: str) -> list[tuple[str, str]]:
    """The partial derivatives that a line multiplies, (of, by) in the order in which they stand.

    >>> partials_in(r"∂A^[1]/∂Z^[1] · \\frac{\\partial Z^{[2]}}{\\partial A^{[1]}}")
    [('A1', 'Z1'), ('Z2', 'A1')]
    """
    text = line[:LONGEST].replace("\\partial", "∂").replace("\\mathrm{d}", "d")
    text = _LAYER.sub(lambda m: m[1] or m[2], text)
    text = _FRACTION.sub(lambda m: f" {m[1].strip()}/{m[2].strip()} ", text)
    text = re.sub(r"∂ +", "∂", text)
    text = re.sub(r" ?/ ?(?=[∂d])", "/", text.replace("(", " ").replace(")", " "))
    return [(m[1], m[2]) for m in _PARTIAL.finditer(text)]


def judge_product(net: Net, line: str, bindings: Sequence[tuple[str, str]] = ()) -> Use | None:
    """What is to be said of a typed product of partial derivatives; None where the line has none.

    It is judged as written: a product in which the innermost derivative stands first is that of the denominator
    layout, else that of the numerator layout.
    """
    right = line.rpartition("=")[2]
    found: list[tuple[str, str]] = []
    for of, by in partials_in(right):
        try:
            found.append((model_name(net, of), model_name(net, by)))
        except UnknownError:
            continue
    if len(found) < 2:
        return None
    inner_first = found[0][0] == found[1][1]
    chain = found if inner_first else found[::-1]
    names = [chain[0][1], *(of for of, _ in chain)]
    kinds = {kind_of(net, n) for n in names}
    if kinds <= {NUMBER}:
        rule = next(r for r in CHAIN_RULES if r.name == "scalar-chain-rule")
    else:
        wanted = "denominator" if inner_first else "numerator"
        rule = next(r for r in CHAIN_RULES if r.layout == wanted and VECTOR in r.kinds.values())
    faults: list[str] = []
    matrices = [n for n in dict.fromkeys(names) if kind_of(net, n) == MATRIX]
    if matrices:
        one = len(matrices) == 1
        key = "fault-kinds-one" if one else "fault-kinds"
        kind = LOOKUPS["kind-matrix" if one else "matrices"]
        faults.append(LOOKUPS[key].format(kind=LOOKUPS["vectors"], values=_and(matrices), found=kind))
    faults += _twice(net, bindings)
    return Use(rule, tuple(faults), tuple(_further(rule, _in_order(names, net), net, bool(faults), True)))


def _twice(net: Net, bindings: Sequence[tuple[str, str]]) -> list[str]:
    values: dict[str, list[str]] = {}
    for symbol, text in bindings:
        try:
            name = model_name(net, text)
        except UnknownError:
            continue
        if name not in values.setdefault(symbol, []):
            values[symbol].append(name)
    return [
        LOOKUPS["fault-twice"].format(symbol=s, values=" and ".join(names))
        for s, names in values.items()
        if len(names) > 1
    ]

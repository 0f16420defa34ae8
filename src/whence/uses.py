"""May I use this rule here? Uses of chain rules, and products of partial derivatives as typed, are judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whence.identities import kind_of, named
from whence.laws.rules import ANY, CHAIN_RULES, MATRIX, NUMBER, VECTOR, ChainRule
from whence.messages.catalogue import nearest
from whence.messages.errors import ReadError, UnknownError, WhenceError
from whence.messages.lookups import LOOKUPS

if TYPE_CHECKING:
    from whence.net import Net


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

"""whence lookup: rules and identities by words or by form, and whether one may be used here."""

from __future__ import annotations

import argparse
from typing import Any

import whence
from whence import identities
from whence.cli.output import Output
from whence.cli.source import read_argument
from whence.cli.texts import CommandError
from whence.identities import Entry, Match
from whence.laws.identity import Identity
from whence.laws.rules import ChainRule
from whence.messages.lookups import LOOKUPS
from whence.notation.unicode import display_name
from whence.uses import Use, may_use

SHOWN = 8


def lookup(args: argparse.Namespace, output: Output) -> None:
    """One of the three questions: which have these words, which have this form, may I use this one."""
    shapes = ", ".join(args.shapes) or None
    if args.form:
        _by_form(args, shapes, output)
    elif args.bindings:
        _may_use(args, shapes, output)
    else:
        _by_words(" ".join(args.words), args.proof, output)


def _by_words(words: str, proof: bool, output: Output) -> None:
    exact = [e for e in identities.TABLE if e.name == words]
    found = exact or identities.search(words, 1_000)
    if output.as_json:
        output.json({"found": [_as_json(e) for e in found[:SHOWN]], "count": len(found)})
        return
    if not found:
        output.text(LOOKUPS["nothing"])
        return
    if len(found) > 1:
        output.text(LOOKUPS["count"].format(count=len(found), shown=min(SHOWN, len(found))))
    for entry in found[:SHOWN]:
        output.text("")
        output.text("\n".join(describe(entry)))
    first = next((e for e in found if isinstance(e, Identity)), None)
    if proof and first is not None:
        output.text(f"\n{LOOKUPS['proof']}")
        output.text(identities.derivation(first).explain())


def describe(entry: Entry) -> list[str]:
    """An entry as lines: its formula, its conditions, why it holds, its source."""
    if isinstance(entry, ChainRule):
        kinds = ", ".join(f"{s}: {LOOKUPS[f'kind-{k}']}" for s, k in entry.kinds.items())
        layout = LOOKUPS["layout"].format(layout=entry.layout) if entry.layout else LOOKUPS["layout-none"]
        rest = [
            LOOKUPS["kinds"].format(kinds=kinds),
            layout,
            LOOKUPS["when"].format(when=entry.when),
            LOOKUPS["why"].format(proof=entry.proof),
        ]
        return [f"{entry.name}    {entry.formula}", *(f"  {t}" for t in [*rest, _source(entry)])]
    needs = [entry.assume] if entry.assume else []
    needs += entry.conditions
    said = LOOKUPS["needs"].format(conditions=", ".join(needs)) if needs else LOOKUPS["needs-nothing"]
    d = identities.derivation(entry)
    formula = d.net.text(d.answer.tree)
    if entry.name.startswith("∂"):
        head = f"{entry.name}    {LOOKUPS['gives'].format(derivative=formula)}"
    else:
        texts = {"expression": d.net.text(d.net.model.statements[-1].expression), "wrt": display_name(entry.wrt)}
        head = f"{entry.name}    {LOOKUPS['layer'].format(formula=formula, **texts)}"
    return [head, *(f"  {t}" for t in [LOOKUPS["shapes"].format(shapes=entry.shapes), said, _source(entry)])]


def _source(entry: Entry) -> str:
    return LOOKUPS["source"].format(source=entry.source)


def _by_form(args: argparse.Namespace, shapes: str | None, output: Output) -> None:
    found = identities.match(args.form, args.wrt, shapes, ", ".join(args.assume) or None)
    if output.as_json:
        output.json({"matches": [_match_json(m) for m in found[:SHOWN]]})
        return
    if not found:
        output.text(LOOKUPS["no-match"])
    for m in found[:SHOWN]:
        bindings = ", ".join(f"{k} = {v}" for k, v in m.bindings.items())
        output.text("\n".join(describe(m.identity)))
        output.text("  " + LOOKUPS["with"].format(bindings=bindings))
        if m.needs:
            output.text("  " + LOOKUPS["assuming"].format(needs=m.needs))
        output.text("  " + LOOKUPS["so"].format(expression=m.expression, wrt=args.wrt, formula=m.text))
        output.text("  " + LOOKUPS["checked"])


def _may_use(args: argparse.Namespace, shapes: str | None, output: Output) -> None:
    if not args.model:
        raise CommandError("bad-usage", found="--with needs --model MODEL", help="See whence lookup --help.")
    pairs: list[tuple[str, str]] = []
    for text in args.bindings:
        symbol, sign, value = text.partition("=")
        if not sign:
            raise CommandError("bad-usage", found=f"--with {text[:40]} has no =", help="Write --with z=Z1.")
        pairs.append((symbol.strip(), value.strip()))
    net = whence.model(read_argument(args.model), shapes)
    use = may_use(" ".join(args.words), pairs, net)
    if output.as_json:
        output.json({"rule": use.rule.name, "may": not use.faults, "faults": list(use.faults), "said": list(use.said)})
        return
    output.text("\n".join(verdict(use)))


def verdict(use: Use) -> list[str]:
    """A judged use as lines."""
    if not use.faults:
        return [LOOKUPS["may"].format(name=use.rule.name, formula=use.rule.formula), *use.said]
    return [
        LOOKUPS["may-not"].format(name=use.rule.name),
        *(f"  {k}. {fault}" for k, fault in enumerate(use.faults, start=1)),
        *use.said,
    ]


def _as_json(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, ChainRule):
        return {"name": entry.name, "formula": entry.formula, "kinds": entry.kinds, "layout": entry.layout} | {
            "when": entry.when,
            "proof": entry.proof,
            "source": entry.source,
        }
    own = ("name", "expression", "wrt", "derivative", "shapes", "assume", "source")
    return {k: getattr(entry, k) for k in own} | {"conditions": list(entry.conditions)}


def _match_json(m: Match) -> dict[str, Any]:
    own = ("formula", "text", "needs")
    return {"identity": m.identity.name, "bindings": dict(m.bindings)} | {k: getattr(m, k) for k in own}

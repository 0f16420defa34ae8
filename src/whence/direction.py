"""The derivative in a direction: what can be said where the array of a derivative has no word in the notation.

The change of expm(X) where X changes by E is frechet(expm, X, E), although no matrix of the language maps vec(E) to
it. The formula is verified as the derivative by t of the expression at X + t E, which it must be for every t.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from whence.diff.model import change_of
from whence.expr.build import build
from whence.expr.node import variable
from whence.messages.errors import RefusedError, RuleError
from whence.read.canonical import to_text
from whence.read.parser import parse_printed
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Expr, Name
from whence.shapes.words import claim_shape
from whence.verify.claim import Claim
from whence.verify.judge import check

if TYPE_CHECKING:
    from whence.engine import Engine

LETTERS = ("E", "H", "V", "U")


def in_direction(engine: Engine, expression: Expr, name: str) -> str:
    """The verified change of an expression where an input changes by E, as `E: formula`.

    Raises RuleError where there is no rule for it either, RefusedError where it cannot be verified.
    """
    if name not in engine.inputs:
        raise RuleError("outside-format", found="the change of an intermediate")
    taken = {*engine.names, *engine.model.functions}
    letter, number = _free(LETTERS, taken), _free(("t", "tau", "h"), taken)
    shape = engine.shapes[name]
    atom = engine.forward.atom(name)
    output = build(expression, engine.forward.scope)
    if output.groups is not None:
        raise RuleError("outside-format", found="the change of an array with composite axes")
    node = change_of(engine.forward, output.node, {atom: variable(letter, atom.dims)})
    node = engine.chooser.nicest(engine.forward.rewriter(node))
    shapes = {**engine.printer.shapes, letter: shape}
    printer = replace(engine.printer, shapes=shapes, last=frozenset((letter,)), _memo={})
    tree = engine.printed(node, output.shape, printer)
    text = to_text(tree)
    again = parse_printed(text, functions=engine.model.functions, names=(*engine.names, letter))
    moved: dict[str, Expr] = {name: Binary("+", Name(name), Binary("*", Name(number), Name(letter)))}
    found = check(_claim(engine, expression, again, moved, letter, number, name))
    if not found.ok:
        raise RefusedError("not-verified", found=found.reason)
    return f"{letter}: {text}"


def _free(letters: tuple[str, ...], taken: set[str]) -> str:
    def candidates() -> Iterator[str]:
        yield from letters
        yield from (f"{letters[0]}{k}" for k in range(1, 1000))

    return next(x for x in candidates() if x not in taken)


def _claim(
    engine: Engine, expression: Expr, answer: Expr, moved: dict[str, Expr], letter: str, number: str, name: str
) -> Claim:
    inputs = {n: claim_shape(s) for n, s in engine.inputs.items()}
    tags = engine.model.assumptions.get(name, ())
    return Claim(
        variables={**inputs, letter: inputs[name], number: ()},
        assume={**engine.model.assumptions, letter: tags, number: ("positive",)},
        functions=tuple(engine.model.functions),
        definitions=tuple((s.target, substituted(s.expression, moved)) for s in engine.model.statements),
        expression=substituted(expression, moved),
        wrt=(number,),
        answer=substituted(answer, moved),
        defined=engine.model.defined,
    )

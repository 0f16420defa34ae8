"""What each command does with its arguments once they are read: ask the engine, and show."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import whence
from whence.cli.output import Output
from whence.cli.source import read_argument, write_text
from whence.cli.texts import CONVENTIONS, LAYOUTS, CommandError, refuse_choices
from whence.messages.catalogue import CATALOGUE, nearest, sentence
from whence.messages.errors import ReadError, WhenceError
from whence.read.array_errors import ArrayError, array_error_in, without_array_errors

if TYPE_CHECKING:
    from whence.code import Form
    from whence.net import Derivative, Net
    from whence.shapes.infer import Row


def derive(args: argparse.Namespace, output: Output) -> None:
    """The formulas asked for, or those of the backward pass, each with its shape."""
    net = _net(args)
    names = _names(net, args.targets, args.all)
    derivatives = [net.gradient(name, layout=args.layout, convention=args.convention) for name in names]
    if args.json:
        output.json(
            {
                **_read_back(net),
                "layout": args.layout,
                "convention": args.convention,
                "derivatives": [_as_json(d, args.write) for d in derivatives],
            }
        )
        return
    _show_reading(net, output)
    output.table([(_text(d, args.write), _shape_text(d.shape)) for d in derivatives], indent="  ", style="bold")
    output.text("")
    for note in dict.fromkeys(note for d in derivatives for note in d.notes):
        output.text(note)
    for line in [*_conventions(args.layout, args.convention, derivatives), *_certificates(derivatives)]:
        output.text(line)


def explain(args: argparse.Namespace, output: Output) -> None:
    """Where one formula comes from, or each formula of the backward pass in turn; or what a code means."""
    if args.code is not None:
        explain_code(args.code, output)
        return
    if args.target is None and _explained_alone(args, output):
        return
    error = array_error_in(args.target or "")
    net = _net(args)
    if error is not None:
        _explain_shapes(error, net, args, output)
        return
    names = _names(net, [args.target] if args.target else [], False)
    derivatives = [net.gradient(name, layout=args.layout, convention=args.convention) for name in names]
    if args.json:
        explained = [_explained_json(d, args) for d in derivatives]
        output.json({**_read_back(net), **(explained[0] if args.target else {"derivatives": explained})})
        return
    texts = [_explanation(d, args) for d in derivatives]
    _show_reading(net, output)
    if args.depth > 1 and not args.only and args.show in (None, "arrangements"):
        _show_shapes(net, output)
        output.text("")
    output.text("\n\n".join(text.rstrip("\n") for text in texts))


def _explained_alone(args: argparse.Namespace, output: Output) -> bool:
    """A backward formula without its forward lines; False where the text is a model."""
    from whence.alone import formula_alone, is_alone, page, to_json

    text = read_argument(args.model)
    error = array_error_in(text)
    text = without_array_errors(text) if error is not None else text
    if args.shapes or args.assume or not is_alone(text, args.dialect):
        if error is not None:
            _explain_shapes(error, None, args, output)
        return error is not None
    alone = formula_alone(text, args.dialect)
    if args.strict:
        raise ReadError("choice-made", line=1, column=1, found="; ".join(alone.best.forward.lines), source=text)
    if args.json:
        output.json(to_json(alone, args.view, args.write))
        return True
    for note in alone.reading.notes:
        output.text(note)
    output.text(page(alone, args.view, args.write))
    if error is not None:
        _explain_shapes(error, alone.best.net, args, output)
    return True


def _explain_shapes(error: ArrayError, net: Net | None, args: argparse.Namespace, output: Output) -> None:
    """What an error of NumPy about shapes means, with the shapes of a model where there is one."""
    from whence.shape_errors import explained

    if args.json:
        output.json({**dataclasses.asdict(error), "explanation": explained(error, net)})
        return
    if net is not None:
        _show_shapes(net, output)
        output.text("")
    output.text(explained(error, net))


def shapes(args: argparse.Namespace, output: Output) -> None:
    """The shape of every name, and what fixed it."""
    net = _net(args)
    if args.json:
        output.json(_read_back(net))
        return
    for note in net.model.notes:
        output.text(note)
    output.text("")
    _show_shapes(net, output)
    if net.shapes.defaults:
        output.text("")
    for default in net.shapes.defaults:
        output.text(default)


def emit(args: argparse.Namespace, output: Output) -> None:
    """The cost and its gradients as a program."""
    from whence.code import FORMS, PLAIN

    net = _net(args)
    names = [_typed_name(net, name.strip()) for name in args.wrt.split(",") if name.strip()]
    asked: list[Form] = [f for f in FORMS if f != PLAIN and getattr(args, f)]
    form = asked[0] if asked else PLAIN
    code = net.emit(names, args.to, args.of or None, form=form, sizes=_sizes(args.sizes))
    if args.json:
        output.json({**_read_back(net), "to": args.to, "form": form, "code": code})
    elif args.out:
        write_text(args.out, code)
    else:
        output.text(code.rstrip("\n"))


def _sizes(text: str) -> dict[str, int]:
    """n=784,m=128 as sizes. Raises CommandError `bad-usage`."""
    out: dict[str, int] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, value = part.partition("=")
        if not value.isdecimal() or not 1 <= int(value[:10]) <= 10**9:
            raise CommandError("bad-usage", found=f"{part[:40]!r} is no size", help="A size is written n=784.")
        out[name] = int(value)
    return out


def solve(args: argparse.Namespace, output: Output) -> None:
    """The answers to a file of problems, line by line."""
    from functools import partial

    from whence.cli.batch import run_batch
    from whence.cli.solve import solve_line

    if args.jobs > 1:
        import whence.engine  # noqa: F401 (the processes are copies of this one and share it)
    handler = partial(solve_line, debug=args.debug)
    run_batch(args.file, handler, out=args.out, resume=args.resume, jobs=args.jobs)


def practise(args: argparse.Namespace, output: Output) -> None:
    """A worksheet on one gradient."""
    from whence.cli import practise as door

    door.practise(args, output)


def lookup(args: argparse.Namespace, output: Output) -> None:
    """Rules and identities."""
    from whence.cli import lookup as door

    door.lookup(args, output)


def reply(args: argparse.Namespace, output: Output) -> None:
    """An answer to a forum post."""
    from whence.cli import reply as door

    door.reply(args, output)


def check(args: argparse.Namespace, output: Output) -> int:
    """The verdict of an answer, or those of a file of answers."""
    from whence.cli.check import run_check

    return run_check(args, output, _net)


def grade(args: argparse.Namespace, output: Output) -> None:
    """The marks of a class."""
    from whence.cli.grade import run_grade

    run_grade(args, output)


def audit(args: argparse.Namespace, output: Output) -> int:
    """The verdict on a backward pass, from its arrays."""
    from whence.cli.audit import run_audit

    return run_audit(args, output, _net)


def explain_code(code: str, output: Output) -> None:
    """The long form of one message, or of all codes the first sentence. Raises CommandError `unknown-code`."""
    if not code:
        if output.as_json:
            output.json({"codes": {m.code: m.sentence for m in CATALOGUE.values()}})
            return
        output.table([(code, sentence(code, {})[0]) for code in CATALOGUE])
        return
    message = CATALOGUE.get(code)
    if message is None:
        close = nearest(code, CATALOGUE, distance=3)
        help = f"Did you mean {' or '.join(close)}?" if close else ""
        raise CommandError("unknown-code", found=code, expected=", ".join(close), help=help)
    if output.as_json:
        output.json(dataclasses.asdict(message))
        return
    said, help = sentence(code, {})
    output.text(code, style="bold")
    output.text(f"  {said}\n\n{message.long}\n\nWhat to do: {help}\n\nAn example ({message.example.kind}):")
    for line in message.example.text.split("\n"):
        output.text("  " + (line if len(line) <= 100 else line[:97] + "..."))


def read(args: argparse.Namespace, output: Output) -> None:
    """How a text as typed is read."""
    from whence.cli.reading import read as run

    run(args, output)


RUN = {
    run.__name__: run
    for run in (derive, shapes, explain, practise, lookup, reply, check, grade, audit, emit, read, solve)
}


# -- asking the engine


def _net(args: argparse.Namespace) -> Net:
    shapes, assume = ", ".join(args.shapes) or None, ", ".join(args.assume) or None
    net = whence.model(read_argument(args.model), shapes, assume, dialect=args.dialect)
    if args.strict:
        refuse_choices(net.model.notes, net.shapes.defaults)
    return net


def _names(net: Net, targets: Sequence[str], all_of_them: bool) -> list[str]:
    """The names whose gradients are asked for: as typed, or as a lecture lists them, or all of them."""
    if targets:
        return [_typed_name(net, target) for target in targets]
    if all_of_them:
        return [d.wrt[0] for d in net.backward()]
    return net.lecture_targets() or [d.wrt[0] for d in net.backward()]


def _typed_name(net: Net, target: str) -> str:
    """A target as the model writes it: dZ^[1], or dJ/dZ1, is dZ1."""
    if target.isascii() and target.isidentifier():
        return target
    from whence.read.parser import parse_expression
    from whence.read.syntax import Name

    try:
        read = parse_expression(target, dialect="lecture", names=[row.name for row in net.shapes.rows])
    except WhenceError:
        return target
    return read.id if isinstance(read, Name) else target


# -- showing


def _show_reading(net: Net, output: Output) -> None:
    """How the model was read, before anything is said about it."""
    for note in [*net.model.notes, *net.shapes.defaults]:
        output.text(note)
    for statement in net.model.statements:
        output.text(f"  {statement.target} = {net.text(statement.expression)}")
    output.text("")


def _show_shapes(net: Net, output: Output) -> None:
    """The shape table: each name, its shape, and the line that fixed it."""
    output.table([(row.name, _shape_text(row.shape), _reason(row)) for row in net.shapes.rows], indent="  ")


def _read_back(net: Net) -> dict[str, Any]:
    from whence.read.canonical import to_text

    return {
        "read_as": [f"{s.target} = {to_text(s.expression)}" for s in net.model.statements],
        "notes": list(net.model.notes),
        "shapes": [
            {"name": row.name, "shape": [str(size) for size in row.shape], "line": row.line, "why": row.why}
            for row in net.shapes.rows
        ],
        "defaults": list(net.shapes.defaults),
    }


def _text(d: Derivative, write: str | None) -> str:
    return d.written(write) if write else str(d)


def _as_json(d: Derivative, write: str | None = None) -> dict[str, Any]:
    return {
        "target": d.name,
        "of": d.of,
        "formula": d.formula,
        "expanded": d.expanded,
        "text": _text(d, write),
        "latex": d.latex(),
        "shape": [str(size) for size in d.shape],
        "layout": d.layout,
        "convention": d.convention,
        "verified": d.answer.verified,
        "certificate": list(d.certificate.lines()),
    }


def _explanation(d: Derivative, args: argparse.Namespace) -> str:
    return d.explain(view=args.view, depth=args.depth, only=args.only, show=args.show, write=args.write)


def _explained_json(d: Derivative, args: argparse.Namespace) -> dict[str, Any]:
    fields = ("rule", "before", "after", "reason", "shape")
    steps = [{field: str(getattr(step, field)) for field in fields} for step in d.steps]
    return {**_as_json(d, args.write), "steps": steps, "explanation": _explanation(d, args)}


def _conventions(layout: str, convention: str, derivatives: Sequence[Derivative]) -> list[str]:
    if not derivatives:
        return []
    return [f"layout: {LAYOUTS[layout]}", f"convention: {CONVENTIONS[convention].format(of=derivatives[0].of)}"]


def _certificates(derivatives: Sequence[Derivative]) -> list[str]:
    """The certificates' lines, each once with the formulas it is said of."""
    out: list[str] = []
    for k, label in enumerate(("read as", "derived", "checked", "assumes")):
        if label == "read as":
            continue  # the reading stands above
        of: dict[str, list[str]] = {}
        for d in derivatives:
            of.setdefault(d.certificate.lines()[k], []).append(d.name)
        for line, names in of.items():
            out.append(line if len(of) == 1 else line.replace(":", f" ({', '.join(names)}):", 1))
    return out


def _shape_text(shape: Sequence[object]) -> str:
    from whence.shapes.words import text

    return text(tuple(shape)).replace(" x ", " × ")  # type: ignore[arg-type]  # sizes of any kind print


def _reason(row: Row) -> str:
    return row.why if not row.line or "line" in row.why else f"line {row.line}: {row.why}"

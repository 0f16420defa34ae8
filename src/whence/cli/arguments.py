"""The command line's grammar: commands, arguments, options, and their help."""

from __future__ import annotations

import argparse
from typing import NoReturn

from whence.cli.texts import CommandError

_COMMANDS = (  # usage, what it gives
    ("derive MODEL [TARGET ...]", "all formulas of the backward pass, or those asked for"),
    ("shapes MODEL", "the shape of every name, and the line that fixed it"),
    ("explain MODEL [TARGET] | --code [CODE]", "where one formula comes from, or what an error means"),
    ("check MODEL ANSWER | FILE.jsonl", "is a formula right, and if not, what the mistake is"),
    ("grade RUBRIC SUBMISSIONS --out FOLDER", "the marks of a class, answers with the same mistake together"),
    ("read TEXT | FILE.jsonl", "how a text as typed is read: LaTeX, a slide, NumPy, Octave, Unicode"),
    ("solve FILE", "one problem a line in, one answer a line out"),
)
COMMANDS = {usage.split()[0]: text for usage, text in _COMMANDS}
_USAGES = {usage.split()[0]: usage for usage, _ in _COMMANDS}
LATER = ("practise", "lookup", "reply", "audit", "emit", "train", "serve")

_MODEL = """A MODEL is a file, - for standard input, or the text itself, one equation a line or between semicolons:
  whence explain "Z = W X; J = norm(Z - Y)^2" dW
Lines such as `shape X: n x m` and `assume S: symmetric` declare; # begins a comment."""
_STATUS = """Exit status: 0 answered or right, 1 a wrong formula, 2 bad input, 3 refused or undecided.
Colours are off where NO_COLOR is set."""


class Parser(argparse.ArgumentParser):
    """Its errors are coded errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise CommandError("bad-usage", found=message, help=f"See {self.prog} --help.")


def overview() -> str:
    """What `whence` alone prints."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {text}" for name, text in COMMANDS.items())
    return (
        "usage: whence COMMAND ...\n\n"
        "Where does a gradient formula come from, and is mine right?\n\n"
        f"commands:\n{commands}\n\n"
        f"{_MODEL}\n\n"
        "whence COMMAND --help says more about each; whence --version prints the version.\n"
        f"{_STATUS}\n"
    )


def parser_of(command: str) -> Parser:
    """The parser of one command's arguments."""
    parser = Parser(
        prog=f"whence {command}",
        usage=f"whence {_USAGES[command]} [options]",
        description=f"Gives {COMMANDS[command]}.",
        epilog=f"{_MODEL}\n\n{_STATUS}" if "MODEL" in _USAGES[command] else _STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _BUILDERS[command](parser)
    return parser


def _derive(parser: Parser) -> None:
    _model(parser)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="dW1, or W1: the gradient by W1 (default: those a lecture lists)"
    )
    parser.add_argument("--all", action="store_true", help="every adjoint, that of each line and of each input")
    _ways(parser)
    _common(parser)


def _explain(parser: Parser) -> None:
    _model(parser)
    parser.add_argument("target", nargs="?", metavar="TARGET", help="dZ1, or Z1 (default: all that a lecture lists)")
    parser.add_argument("--view", choices=("scalar", "index", "matrix"), help="one reading alone (default: all needed)")
    parser.add_argument(
        "--code", nargs="?", const="", metavar="CODE", help="what the message with this code means (without: all codes)"
    )
    _ways(parser)
    _common(parser)


def _shapes(parser: Parser) -> None:
    _model(parser)
    _common(parser)


def _read(parser: Parser) -> None:
    parser.add_argument("text", nargs="?", metavar="TEXT", help="file, -, or text; FILE.jsonl: one text a line")
    parser.add_argument("--batch", action="store_true", help="one JSON object a line, whatever the file's name")
    _dialect(parser)
    _batch(parser)


def _solve(parser: Parser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="problems, one JSON object a line; - is standard input")
    _batch(parser)


def _batch(parser: Parser) -> None:
    parser.add_argument("--out", default="", metavar="FILE", help="write the answers there")
    parser.add_argument("--resume", action="store_true", help="go on after the answers that --out FILE has")
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="work on N processes (default: 1)")
    _common(parser)


def _check_command(parser: Parser) -> None:
    _model(parser)
    parser.add_argument("answer", nargs="?", metavar="ANSWER", help="dZ1 = ..., or a derivation of several lines")
    parser.add_argument("--batch", action="store_true", help="MODEL is a file of answers, one JSON object a line")
    parser.add_argument("--repair", action="store_true", help="show the repaired formula too")
    parser.add_argument("--out", default="", metavar="FILE", help="batch: write the verdicts there")
    parser.add_argument("--resume", action="store_true", help="batch: go on after the verdicts that --out FILE has")
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="batch: work on N processes (default: 1)")
    parser.add_argument(
        "--convention",
        choices=("auto", "exact", "course"),
        default="auto",
        help="where the average of the cost stands: in every formula (exact), only in the parameters' (course), or "
        "either (auto, the default)",
    )
    _layout(parser)
    _common(parser)


def _grade(parser: Parser) -> None:
    parser.add_argument("rubric", nargs="?", metavar="RUBRIC", help="a TOML file: model, shapes, points")
    parser.add_argument("submissions", nargs="?", metavar="SUBMISSIONS", help="CSV, JSON lines, or a folder of files")
    parser.add_argument("--out", default="", metavar="FOLDER", help="where results, grades.csv and report.md go")
    parser.add_argument("--resume", action="store_true", help="go on after the results that FOLDER has")
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="work on N processes (default: 1)")
    parser.add_argument("--preview", action="store_true", help="show the right answers and their points only")
    _common(parser)


def _model(parser: Parser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="file, -, or text")
    parser.add_argument(
        "--shapes", action="append", default=[], metavar="TEXT", help='shapes, as in "X: n0 x m, b: n1" (may repeat)'
    )
    parser.add_argument(
        "--assume", action="append", default=[], metavar="TEXT", help='what is known, as in "S: symmetric" (may repeat)'
    )
    _dialect(parser)


def _dialect(parser: Parser) -> None:
    from whence.read.dialects import DIALECTS

    names = ", ".join(DIALECTS)
    parser.add_argument("--dialect", metavar="NAME", help=f"{names} (default: by the signs in the text)")
    parser.add_argument("--strict", action="store_true", help="refuse a text where more than one reading is possible")


def _ways(parser: Parser) -> None:
    parser.add_argument(
        "--convention",
        choices=("exact", "course"),
        default="exact",
        help="where the average of the cost stands: in every formula (exact), or only in the parameters' (course)",
    )
    _layout(parser)
    from whence.notation.writing import WRITINGS

    parser.add_argument(
        "--write",
        choices=WRITINGS,
        metavar="NAME",
        help=f"how the formulas are written: {', '.join(WRITINGS)} (each is read again before it is shown)",
    )


def _layout(parser: Parser) -> None:
    parser.add_argument(
        "--layout",
        choices=("gradient", "numerator", "denominator", "vec"),
        default="gradient",
        help="how a derivative is laid out (default: gradient, the shape of the variable)",
    )


def _common(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object; errors too, to standard output")
    parser.add_argument("--ascii", action="store_true", help="print ASCII only: W2^T for W2ᵀ")
    parser.add_argument("--debug", action="store_true", help="print the traceback of a fault of the program")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:6]) <= 256:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number from 1 to 256")
    return int(text)


_BUILDERS = dict(zip(COMMANDS, (_derive, _shapes, _explain, _check_command, _grade, _read, _solve), strict=True))

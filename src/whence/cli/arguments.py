"""The command line's grammar: commands, arguments, options, and their help."""

from __future__ import annotations

import argparse
from typing import NoReturn

from whence.cli.texts import CommandError
from whence.messages.lessons import LESSONS

_COMMANDS = (  # usage, what it gives
    ("derive MODEL [TARGET ...]", "all formulas of the backward pass, or those asked for"),
    ("shapes MODEL", "the shape of every name, and the line that fixed it"),
    ("explain MODEL [TARGET] | --code [CODE]", "where one formula comes from, or what an error means"),
    ("practise MODEL TARGET | --state FILE", "a worksheet: find a formula yourself, every line judged"),
    ("lookup WORDS | --form FORMULA --wrt NAME", "rules and identities by words or form, and whether one may be used"),
    ("reply POST.md", "an answer to a forum post that displays there"),
    ("check MODEL ANSWER | FILE.jsonl", "is a formula right, and if not, what the mistake is"),
    ("grade RUBRIC SUBMISSIONS --out FOLDER", "the marks of a class, answers with the same mistake together"),
    ("audit MODEL --inputs FILE --grads FILE", "is an existing backward pass right, judged by its arrays"),
    ("emit MODEL", "the cost and its gradients as code that needs nothing of whence"),
    ("read TEXT | FILE.jsonl", "how a text as typed is read: LaTeX, a slide, NumPy, Octave, Unicode"),
    ("solve FILE", "one problem a line in, one answer a line out"),
)
COMMANDS = {usage.split()[0]: text for usage, text in _COMMANDS}
_USAGES = {usage.split()[0]: usage for usage, _ in _COMMANDS}
ASKED = tuple(k.removeprefix("only-none-") for k in LESSONS if k.startswith("only-none-"))  # the questions of --only
LATER = ("train", "serve")

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
    parser.add_argument(
        "--view",
        choices=("scalar", "index", "matrix", "all"),
        help="one reading alone, or all three step by step (default: one entry, then matrices)",
    )
    parser.add_argument(
        "--depth",
        type=int,
        choices=(1, 2, 3),
        default=2,
        help="1: the formula and one line of reason; 2: the steps; 3: every small step with its rule (default: 2)",
    )
    parser.add_argument("--only", choices=ASKED, help="one question alone: why is it so?")
    parser.add_argument(
        "--show",
        choices=("chain", "multiply", "toy", "arrangements"),
        help="the partial derivatives by name; why one cannot just multiply; the toy example; all ways to multiply",
    )
    parser.add_argument(
        "--code", nargs="?", const="", metavar="CODE", help="what the message with this code means (without: all codes)"
    )
    _ways(parser)
    _common(parser)


def _shapes(parser: Parser) -> None:
    _model(parser)
    _common(parser)


def _practise(parser: Parser) -> None:
    _model(parser)
    parser.add_argument("target", nargs="?", metavar="TARGET", help="dZ1, or Z1: the gradient to be found")
    parser.add_argument("--state", default="", metavar="FILE", help="where the worksheet is kept (default: in here)")
    parser.add_argument("--line", action="append", default=[], metavar="TEXT", help="judge this line and end")
    _common(parser)


def _lookup(parser: Parser) -> None:
    parser.add_argument("words", nargs="*", metavar="WORDS", help="words, or the name of a rule or identity")
    parser.add_argument("--form", metavar="FORMULA", help="a formula: which identities have its form?")
    parser.add_argument("--wrt", metavar="NAME", help="by which name FORMULA is differentiated")
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="bindings",
        metavar="SYMBOL=NAME",
        help="may I use this rule here? what each of its symbols is to stand for (may repeat)",
    )
    parser.add_argument("--model", metavar="MODEL", help="the model whose names --with gives")
    parser.add_argument("--shapes", action="append", default=[], metavar="TEXT", help='shapes, as in "X: n0 x m"')
    parser.add_argument("--assume", action="append", default=[], metavar="TEXT", help='what is known: "S: symmetric"')
    parser.add_argument("--proof", action="store_true", help="the steps of the identity, down to single numbers")
    _common(parser)


def _reply(parser: Parser) -> None:
    parser.add_argument("post", nargs="?", metavar="POST.md", help="the post: a file, -, or text")
    parser.add_argument(
        "--level", choices=("hint", "step", "full"), default="step", help="how much is given away (default: step)"
    )
    parser.add_argument("--model", metavar="MODEL", help="the forward lines, where the post has none")
    parser.add_argument("--target", metavar="TARGET", help="the formula asked for, where the post does not say")
    _common(parser)


def _emit(parser: Parser) -> None:
    _model(parser)
    parser.add_argument("--wrt", default="", metavar="NAMES", help="W1,b1: by which names (default: all parameters)")
    parser.add_argument("--of", default="", metavar="NAME", help="of which name (default: the last number)")
    parser.add_argument("--to", choices=("numpy", "jax", "torch", "c"), default="numpy", help="the language (numpy)")
    parser.add_argument("--custom", action="store_true", help="as a custom_vjp (jax) or an autograd.Function (torch)")
    parser.add_argument("--inplace", action="store_true", help="numpy that writes into arrays it has made before")
    parser.add_argument("--assignment", action="store_true", help='numpy as an assignment has it: grads = {"dW1": dW1}')
    parser.add_argument("--training", action="store_true", help="loss, gradients, update and step by dictionaries")
    parser.add_argument("--hessian", action="store_true", help="the second derivative as an operator")
    parser.add_argument("--sizes", default="", metavar="TEXT", help="n=784,m=128: they decide the order of products")
    parser.add_argument("--out", default="", metavar="FILE", help="write the code there")
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


def _audit(parser: Parser) -> None:
    _model(parser)
    parser.add_argument("--inputs", required=True, metavar="FILE", help="the model's inputs by name, an npz file")
    parser.add_argument("--grads", required=True, metavar="FILE", help="the gradients to judge, dX or X, an npz file")
    parser.add_argument("--upstream", metavar="FILE", help="the gradient of the model's last line, an npz file")
    parser.add_argument("--dtype", metavar="NAME", help="float64, float32, bf16, fp16 (default: as the numbers show)")
    parser.add_argument("--picture", metavar="FILE", help="write heat maps of the wrong gradients there, as SVG")
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


_BUILDERS = dict(
    zip(
        COMMANDS,
        (_derive, _shapes, _explain, _practise, _lookup, _reply, _check_command, _grade, _audit, _emit, _read, _solve),
        strict=True,
    )
)

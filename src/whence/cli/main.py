"""The command `whence`: reads its arguments, runs one command, turns errors into messages and exit statuses."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

import whence
from whence.cli.arguments import COMMANDS, LATER, overview, parser_of
from whence.cli.output import Output, drop_output, flush
from whence.cli.texts import CommandError, InternalError, internal
from whence.messages.catalogue import nearest
from whence.messages.errors import LimitError, RefusedError, RuleError, WhenceError

ANSWERED, BAD_INPUT, REFUSED, INTERRUPTED = 0, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit status.

    0 answered, 2 bad input, 3 refused, 130 interrupted (by Ctrl-C, or because nobody reads the output any more).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    output = Output(as_json="--json" in words, ascii_only="--ascii" in words)
    try:
        return _run(words, output)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        drop_output()
        return INTERRUPTED


def _run(words: list[str], output: Output) -> int:
    try:
        status = _command(words, output)
        flush()
        return status
    except BrokenPipeError:
        raise
    except WhenceError as error:
        output.error(error)
        return status_of(error)
    except Exception as fault:
        if "--debug" in words:
            traceback.print_exc(file=sys.stderr)
        output.error(internal(fault))
        return REFUSED


def _command(words: list[str], output: Output) -> int:
    name = words[0] if words else ""
    if name in ("", "-h", "--help", "help"):
        output.text(overview().rstrip("\n"))
        return ANSWERED
    if name in ("--version", "-V"):
        output.text(f"whence {whence.__version__}")
        return ANSWERED
    if name in LATER:
        raise CommandError("not-yet", found=name, expected=", ".join(COMMANDS))
    if name not in COMMANDS:
        raise _unknown(name)
    try:
        args = parser_of(name).parse_intermixed_args(words[1:])
    except SystemExit:  # the help has been printed
        return ANSWERED
    _check(name, args)
    from whence.cli.commands import RUN

    return RUN[name](args, output) or ANSWERED


def status_of(error: WhenceError) -> int:
    """The exit status that goes with an error. A limit met while reading is bad input, one met later a refusal."""
    if isinstance(error, RuleError | RefusedError | InternalError) or error.code == "not-yet":
        return REFUSED
    if isinstance(error, LimitError) and not error.line:
        return REFUSED
    return BAD_INPUT


def _check(name: str, args: argparse.Namespace) -> None:
    """What the grammar alone does not say."""
    problem = ""
    if name == "check":
        from whence.cli.check import usage_problem

        problem = usage_problem(args)
    elif name == "grade":
        needed = {"RUBRIC": args.rubric}
        if not args.preview:
            needed |= {"SUBMISSIONS": args.submissions, "--out FOLDER": args.out}
        problem = next((f"{word} is missing" for word, given in needed.items() if not given), "")
    elif "file" in args:
        problem = "FILE is missing" if args.file is None else ""
        if args.resume and not args.out:
            problem = "--resume needs --out FILE"
    elif "text" in args:
        problem = "TEXT is missing" if args.text is None else ""
    elif "code" in args and args.code is not None:
        problem = "--code explains a message, not a MODEL" if args.model is not None else ""
    elif "words" in args:
        problem = "" if args.words or args.form else "WORDS are missing"
        if args.form and not args.wrt:
            problem = "--form needs --wrt NAME"
    elif "post" in args:
        problem = "POST.md is missing" if args.post is None else ""
    elif "state" not in args and args.model is None:
        problem = "MODEL is missing"
    if problem:
        raise CommandError("bad-usage", found=problem, help=f"See whence {name} --help.")


def _unknown(name: str) -> CommandError:
    close = nearest(name, [*COMMANDS, *LATER])
    help = f"Did you mean whence {close[0]}?" if close else f"The commands: {', '.join(COMMANDS)}."
    return CommandError("bad-usage", found=f"there is no command {name[:40]!r}", help=help)

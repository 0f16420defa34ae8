"""whence reply: an answer to a forum post."""

from __future__ import annotations

import argparse

from whence.cli.output import Output
from whence.cli.source import read_argument
from whence.reply import asked
from whence.reply import reply as answer


def reply(args: argparse.Namespace, output: Output) -> None:
    """The reply, in Markdown that displays in a forum."""
    model = read_argument(args.model) if args.model else None
    post = asked(read_argument(args.post), model, args.target)
    text = answer(post, args.level)
    if output.as_json:
        output.json({"target": post.target, "level": args.level, "reply": text})
        return
    output.text(text.rstrip("\n"))

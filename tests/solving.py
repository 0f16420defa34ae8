"""Running whence the way its users do, in this process or in a fresh one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COMMAND = "import sys; from whence.cli.main import main; sys.exit(main(sys.argv[1:]))"


def whence(*arguments: str) -> tuple[int, str]:
    """The exit status and the standard output of one command, in this process, from the root of the project."""
    from whence.cli.main import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.chdir(ROOT):
        status = main(list(arguments))
    return status, out.getvalue()


def fresh_whence(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """One command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
    )


def write_lines(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
    return path

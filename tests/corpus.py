"""The corpora of tests/data, and their numeric judge (which needs torch)."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
ANSWERS = ("expected", "source", "note", "factor")  # what the solver is not shown
NEEDS_TORCH = "the numeric judge differentiates with torch, which is not installed"


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


@cache
def oracle() -> Any:
    """tests/data/oracle.py as a module, on one thread."""
    if str(DATA) not in sys.path:
        sys.path.insert(0, str(DATA))
    module = importlib.import_module("oracle")
    module.torch.set_num_threads(1)
    return module


def problems(*names: str) -> list[dict[str, Any]]:
    """The problems of corpora by name ("classic", "deep"); both where none is named."""
    out = []
    for name in names or ("classic", "deep"):
        lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        out += [json.loads(line) for line in lines if line.strip()]
    return out


def question(problem: dict[str, Any]) -> dict[str, Any]:
    """The problem without its answer."""
    return {k: v for k, v in problem.items() if k not in ANSWERS}

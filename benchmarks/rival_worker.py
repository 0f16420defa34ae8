"""Runs inside the interpreter of one tool: reads programs as lines of JSON, writes what they answer.

    python rival_worker.py sympy | tensorgrad | whence

A line is {"program": text} or, for whence, {"problem": ...}. The reply has `seconds`, from the first line of the
program to the derivative, and `nodes` (the answer as a graph, see rival_graph.py) and `shown`, or `error`.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from typing import Any


def run_program(text: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(text, "program", "exec"), names)
    return names["answer"]


def reply(tool: str, request: dict[str, Any]) -> dict[str, Any]:
    start = time.perf_counter()
    if tool == "whence":
        answer = importlib.import_module("whence.cli.solve").solve_item(request["problem"])
        return {**answer, "seconds": time.perf_counter() - start}
    answer = run_program(request["program"])
    seconds = time.perf_counter() - start
    nodes = importlib.import_module(f"rival_{tool}_graph").nodes_of(answer)
    return {"seconds": seconds, "nodes": nodes, "shown": str(answer)[:2000]}


def main(tool: str) -> None:
    if tool != "whence":
        sys.setrecursionlimit(5000)  # in a thread whose stack has room for it
    out, sys.stdout = sys.stdout, sys.stderr  # what a tool prints is no reply
    for line in sys.stdin:
        try:
            answer = json.dumps(reply(tool, json.loads(line)))
        except (Exception, RecursionError) as fault:
            answer = json.dumps({"error": f"{type(fault).__name__}: {str(fault)[:300]}"})
        print(answer, file=out, flush=True)


if __name__ == "__main__":
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=main, args=(sys.argv[1],))
    thread.start()
    thread.join()

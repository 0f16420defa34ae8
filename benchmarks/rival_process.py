"""A tool in a process of its own, with a time limit for each problem."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSION = "import importlib.metadata as m; print(m.version('{}'))"


def version_in(python: str, tool: str) -> str | None:
    """The tool's version in an interpreter, None where it is not installed."""
    try:
        done = subprocess.run([python, "-c", VERSION.format(tool)], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


class Tool:
    """Asks one problem at a time; a process that takes too long is ended and started anew."""

    def __init__(self, python: str, tool: str, warm_up: dict[str, Any], limit: float) -> None:
        self.command = [python, str(HERE / "rival_worker.py"), tool]
        self.warm_up, self.limit = warm_up, limit
        self.process: subprocess.Popen[str] | None = None
        self.replies: queue.Queue[str | None] = queue.Queue()

    def start(self) -> subprocess.Popen[str]:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        env = {**os.environ, **threads, "PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "0"}
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=env,
        )
        self.process, self.replies = process, queue.Queue()
        threading.Thread(target=listen, args=(process, self.replies), daemon=True).start()
        self.exchange(process, self.warm_up, 120)  # importing the tool is no part of a problem
        return process

    def exchange(self, process: subprocess.Popen[str], request: dict[str, Any], limit: float) -> dict[str, Any]:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = self.replies.get(timeout=limit)
        except queue.Empty:
            self.stop()
            return {"error": f"no answer in {limit:g} seconds", "timeout": True}
        except OSError:
            line = None
        if line is None:
            self.stop()
            return {"error": "the process ended"}
        return json.loads(line)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self.process or self.start()
        return self.exchange(process, request, self.limit)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def listen(process: subprocess.Popen[str], replies: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        replies.put(line)
    replies.put(None)

"""Answers from several processes, in the order of the lines."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from whence.cli.lines import Lines
from whence.cli.output import json_line
from whence.cli.solve import id_in, item_from_line, refused
from whence.cli.texts import InternalError
from whence.messages.errors import WhenceError

Handler = Callable[[bytes], str]

AHEAD = 4  # lines that wait at each worker, so that none is idle
WINDOW = 64  # lines per worker that may be answered before an earlier one is

# A copy of this process starts at once. Elsewhere copies of a running process are not safe.
_METHOD = "fork" if sys.platform == "linux" else "spawn"


class Worker:
    """A process that answers lines, and the lines it has."""

    def __init__(self, handler: Handler, others: list[Worker]) -> None:
        context = get_context(_METHOD)
        self.ours, theirs = context.Pipe()
        inherited = [w.ours for w in others] + [self.ours] if _METHOD == "fork" else []
        self.process: BaseProcess = context.Process(target=_work, args=(theirs, inherited, handler), daemon=True)
        self.process.start()
        theirs.close()
        self.lines: deque[tuple[int, bytes]] = deque()

    def give(self, number: int, line: bytes) -> None:
        self.lines.append((number, line))
        with contextlib.suppress(OSError):  # it may have ended, which is seen when its answer is read
            self.ours.send_bytes(line)

    def take(self) -> str | None:
        """Its next answer, or None where it has ended."""
        try:
            return self.ours.recv_bytes().decode()
        except (EOFError, OSError):
            return None

    def stop(self) -> None:
        self.ours.close()
        self.process.terminate()
        self.process.join()


def in_parallel(lines: Lines, handler: Handler, jobs: int) -> Iterator[str]:
    """The answers to the lines, in their order, from so many processes. They end with this process."""
    workers: list[Worker] = []
    for _ in range(jobs):
        workers.append(Worker(handler, workers))
    answers: dict[int, str] = {}
    given = written = 0
    try:
        while True:
            while given - written < WINDOW * jobs and lines.ready:
                free = min(workers, key=lambda w: len(w.lines))
                if len(free.lines) >= AHEAD:
                    break
                free.give(given, lines.ready.popleft())
                given += 1
            while written in answers:
                yield answers.pop(written)
                written += 1
            busy = {w.ours: w for w in workers if w.lines}
            if not busy and not lines.ready and lines.ended:
                return
            ready = _ready(busy, lines)
            for connection in ready:
                _collect(busy[connection], workers, handler, answers)
    finally:
        for worker in workers:
            worker.stop()


def _ready(busy: dict[Connection, Worker], lines: Lines) -> list[Connection]:
    """Wait until a worker has an answer, or read more lines where some are missing."""
    wants_lines = not lines.ready and not lines.ended
    source = lines.fileno() if wants_lines and sys.platform != "win32" else None
    if wants_lines and (source is None or not busy):
        lines.fill()
        return []
    found = wait([*busy, source] if source is not None else [*busy])
    if source is not None and source in found:
        lines.fill()
    return [c for c in found if isinstance(c, Connection)]


def _collect(worker: Worker, workers: list[Worker], handler: Handler, answers: dict[int, str]) -> None:
    """Take one answer. Where the process has ended over a line, that line is refused and the others given anew."""
    answer = worker.take()
    if answer is not None:
        answers[worker.lines.popleft()[0]] = answer
        return
    number, line = worker.lines.popleft()
    answers[number] = _refusal(line)
    worker.stop()
    place = workers.index(worker)
    del workers[place]
    fresh = Worker(handler, workers)
    workers.insert(place, fresh)
    for waiting in worker.lines:
        fresh.give(*waiting)


def _refusal(line: bytes) -> str:
    try:
        name = item_from_line(line).get("id")
    except WhenceError:
        name = id_in(line)
    return json_line(refused(name, InternalError("internal", found="the process ended over this line")))


# -- in the worker


def _work(connection: Connection, inherited: list[Connection], handler: Handler) -> None:
    """Answer lines until the connection closes, and end at once when it does, even in the middle of a line."""
    for other in inherited:
        other.close()  # else this process would keep the others' connections open
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, lines), daemon=True).start()
    try:
        while True:
            connection.send_bytes(handler(lines.get()).encode())
    except OSError:
        os._exit(0)  # nobody is there to read it


def _receive(connection: Connection, lines: queue.SimpleQueue[bytes]) -> None:
    try:
        while True:
            lines.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)

"""Lines of a batch, read as they arrive."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from whence.cli.solve import LINE_LIMIT

_CHUNK = 1 << 16


class Lines:
    """The lines of a stream of bytes that are not blank, without their line breaks.

    Reads what is there and no more, so that each line can be answered when it comes. Of a line that is too long
    only the beginning is kept, one byte longer than the limit.
    """

    def __init__(self, stream: BinaryIO | io.RawIOBase) -> None:
        self.stream = stream
        self.ready: deque[bytes] = deque()
        self.ended = False
        self.bytes_read = 0
        self._rest = b""

    def fill(self) -> None:
        """Read once. Afterwards some lines may be ready, or the stream has ended."""
        data = self.stream.read(_CHUNK)
        if not data:
            self.ended = True
            parts = [self._rest]
            self._rest = b""
        else:
            self.bytes_read += len(data)
            parts = data.split(b"\n")
            if len(self._rest) <= LINE_LIMIT:
                parts[0] = self._rest + parts[0]
            elif len(parts) == 1:
                return
            else:
                parts[0] = self._rest
            self._rest = parts.pop()[: LINE_LIMIT + 1]
        self.ready.extend(part[: LINE_LIMIT + 1] for part in parts if part.strip())

    def __iter__(self) -> Iterator[bytes]:
        while True:
            while self.ready:
                yield self.ready.popleft()
            if self.ended:
                return
            self.fill()

    def fileno(self) -> int | None:
        """What the system can wait for, or None where there is no file behind the stream."""
        try:
            return self.stream.fileno()
        except (OSError, AttributeError):
            return None

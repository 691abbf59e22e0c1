"""A screen of the command that follows the alerts through every kill, coming back with the number that it has seen last."""

import asyncio
from contextlib import suppress

from checkpoint.benchmarks.crowd import CUT

QUIET = 40.0  # seconds without a word, not even a ping: the connection is dead


class Follower:
    """Reads `GET /api/v1/stream`; `numbers` are those it was told, in the order in which they came."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.numbers: list[int] = []
        self.resets = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and return once nothing more can be missed."""
        connected = asyncio.Event()
        self._task = asyncio.create_task(self._follow(connected))
        await connected.wait()

    async def stop(self) -> None:
        """Go away."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def wait_for(self, number: int, seconds: float) -> bool:
        """Whether the number has been told within some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.numbers or self.numbers[-1] < number:
                    await asyncio.sleep(0.05)
        return bool(self.numbers) and self.numbers[-1] >= number

    async def _follow(self, connected: asyncio.Event) -> None:
        while True:
            with suppress(*CUT):
                await self._read(connected)
            await asyncio.sleep(0.3)

    async def _read(self, connected: asyncio.Event) -> None:
        last = f"Last-Event-ID: {self.numbers[-1]}\r\n" if self.numbers else ""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            start = "" if last else "?after=0"
            signed = f"Authorization: Bearer {self._token}\r\n{last}"
            head = f"GET /api/v1/stream{start} HTTP/1.1\r\nHost: 127.0.0.1\r\n{signed}\r\n"
            writer.write(head.encode())
            status = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), QUIET)
            if status[9:12] != b"200":
                return
            while line := await asyncio.wait_for(reader.readline(), QUIET):
                self._take(line)
                if line.startswith(b": connected"):
                    connected.set()
        finally:
            writer.transport.abort()

    def _take(self, line: bytes) -> None:
        # The body comes in chunks: between the lines of events stand the lengths of chunks, which begin with no field's name.
        if line.startswith(b"id: "):
            self.numbers.append(int(line[4:]))
        elif line.startswith(b"event: reset"):
            self.resets += 1

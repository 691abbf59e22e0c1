"""Phones and tablets that do not give up: each act carries its own UUID and is sent again until it is answered. A ledger keeps what was.

A journey is a declaration, the scan of its pass and the officer's decision. Some acts are sent once more after their answer, as by a
phone that lost it on the way: the second answer must say what the first said. Every answer is judged: success, a clean error (503 or
429 with Retry-After, or a connection that broke), or something that must not be.
"""

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from checkpoint.benchmarks.workloads import plain

CUT = (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError)
PATIENCE = 15.0  # seconds until a phone gives up on one attempt
REPLAYED = 0.1  # of the acts are sent once more after their answer
READ_BACK = 0.1  # of the registrations are asked for right after their answer
DECISIONS = {"admit": "admitted", "test": "tested", "hold": "held", "refuse": "turned_back"}
NOTE = "压力演练"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came over the wire."""

    status: int
    retry_after: float | None
    body: bytes
    seconds: float

    def json(self) -> dict[str, Any]:
        """The body of an answer that was a success."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(slots=True)
class Ledger:
    """What was answered with success, by the UUID under which it was sent, and whatever should not have been answered."""

    registrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    scans: dict[str, dict[str, Any]] = field(default_factory=dict)
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        return len(self.registrations) + len(self.scans) + len(self.decisions)


class Line:
    """Keep-alive connections to the server, taken and given back; a broken one is thrown away."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, method: str, path: str, body: bytes = b"", token: str | None = None) -> Answer:
        """One attempt. Raises one of CUT when no whole answer comes."""
        began = time.perf_counter()
        signed = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{signed}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self._open()
            try:
                writer.write(head.encode() + body)
                raw = await reader.readuntil(b"\r\n\r\n")
                headers = _headers(raw)
                content = await reader.readexactly(int(headers.get("content-length", "0")))
            except BaseException:
                writer.transport.abort()
                raise
        if headers.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        waits = headers.get("retry-after")
        return Answer(int(raw[9:12]), float(waits) if waits else None, content, time.perf_counter() - began)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not (reader.at_eof() or writer.is_closing()):
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        """Hang up."""
        for _reader, writer in self._idle:
            writer.close()
        self._idle.clear()


def _headers(raw: bytes) -> dict[str, str]:
    found = {}
    for line in raw.decode("latin-1").split("\r\n")[1:]:
        name, _colon, value = line.partition(":")
        found[name.strip().lower()] = value.strip()
    return found


class Crowd:
    """Those who come. `deadline` (of time.monotonic) is when everybody still unanswered stops asking."""

    def __init__(self, port: int, device: str, command: str, source: Iterator[dict[str, Any]], seed: int) -> None:
        self.line = Line(port)
        self.ledger = Ledger()
        self.deadline = float("inf")
        self._device, self._command, self._source = device, command, source
        self._rng = random.Random(seed)  # noqa: S311 - choices, no secrets

    def next_body(self) -> tuple[str, bytes]:
        """The UUID and the body of somebody's declaration who has not come before."""
        body = next(self._source)
        return str(body["client_id"]), json.dumps(body, default=plain, ensure_ascii=False).encode()

    def took(self, client_id: str, answer: dict[str, Any]) -> None:
        """Note that a declaration was answered with success."""
        self.ledger.registrations[client_id] = registration_facts(answer)

    async def journey(self) -> None:
        """One traveller from the phone to the decision at the barrier, or as far as the deadline lets it come."""
        client_id, body = self.next_body()
        registered = await self._register(client_id, body)
        if registered is None:
            return
        scan_id = str(uuid.uuid4())
        scanned = await self._scan(scan_id, registered)
        if scanned is None:
            return
        await self._decide(scan_id, scanned)

    async def _register(self, client_id: str, body: bytes) -> dict[str, Any] | None:
        self.ledger.sent.add(client_id)
        first = await self._until("/api/v1/registrations", body, None)
        if first is None:
            return None
        self.ledger.registrations[client_id] = kept = registration_facts(first)
        if self._rng.random() < REPLAYED:
            again = await self._until("/api/v1/registrations", body, None)
            if again is not None and registration_facts(again) != kept:
                self._wrong(f"the replay of registration {client_id} says something else")
        if self._rng.random() < READ_BACK:
            await self._read_back(kept["id"])
        return first

    async def _read_back(self, registration_id: str) -> None:
        """What was answered with success is there for whoever asks next."""
        while time.monotonic() < self.deadline:
            answer = await self._attempt("GET", f"/api/v1/registrations/{registration_id}", b"", self._command)
            if answer is None:
                continue
            if answer.status != 200:
                self._wrong(f"registration {registration_id}, once answered, is answered {answer.status}")
            return

    async def _scan(self, scan_id: str, registered: dict[str, Any]) -> dict[str, Any] | None:
        self.ledger.sent.add(scan_id)
        scan = {"scan_id": scan_id, "token": registered["pass"]["token"], "scanned_at": datetime.now(UTC).isoformat()}
        body = json.dumps(scan).encode()
        first = await self._until("/api/v1/scans", body, self._device)
        if first is None:
            return None
        self.ledger.scans[scan_id] = kept = scan_facts(first) | {"registration": registered["id"]}
        if first["problem"] is not None:
            self._wrong(f"the pass of an answered registration is {first['problem']}")
        if self._rng.random() < REPLAYED:
            again = await self._until("/api/v1/scans", body, self._device)
            if again is not None and scan_facts(again) | {"registration": registered["id"]} != kept:
                self._wrong(f"the replay of scan {scan_id} says something else")
        return first

    async def _decide(self, scan_id: str, scanned: dict[str, Any]) -> None:
        decision_id, decision = str(uuid.uuid4()), DECISIONS[scanned["verdict"]]
        self.ledger.sent.add(decision_id)
        body = json.dumps({"decision_id": decision_id, "decision": decision, "note": NOTE}).encode()
        for again in (False, True):
            answered = await self._until(f"/api/v1/scans/{scan_id}/decision", body, self._device)
            if answered is None:
                return
            if answered["decision"] != decision:
                self._wrong(f"the decision on {scan_id} is {answered['decision']}, not {decision}")
            self.ledger.decisions[decision_id] = {"scan": scan_id, "decision": decision}
            if again or self._rng.random() >= REPLAYED:
                return

    async def _until(self, path: str, body: bytes, token: str | None) -> dict[str, Any] | None:
        """Send until it is answered with success; None when the deadline came first or the answer was wrong."""
        while time.monotonic() < self.deadline:
            answer = await self._attempt("POST", path, body, token)
            if answer is None:
                continue
            if answer.status not in (200, 201):
                self._wrong(f"{path} is answered {answer.status}: {answer.body[:200].decode(errors='replace')}")
                return None
            return answer.json()
        return None

    async def _attempt(self, method: str, path: str, body: bytes, token: str | None) -> Answer | None:
        """One attempt; None after a clean error and the wait that it asked for."""
        try:
            answer = await self.line.ask(method, path, body, token)
        except CUT:
            self.ledger.counts["cut"] += 1
            await self._pause(0.3 + self._rng.random())
            return None
        if answer.status in (429, 503) and answer.retry_after is not None:
            self.ledger.counts["told_to_retry"] += 1
            await self._pause(answer.retry_after)
            return None
        return answer

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, min(seconds, self.deadline - time.monotonic())))

    def _wrong(self, words: str) -> None:
        self.ledger.wrong.append(words)


def registration_facts(answer: dict[str, Any]) -> dict[str, Any]:
    """What of the answer to a declaration may never change."""
    return {
        "id": answer["id"],
        "tier": answer["tier"],
        "score": answer["score"],
        "token": answer["pass"]["token"],
        "companions": len(answer["companions"]),
    }


def scan_facts(answer: dict[str, Any]) -> dict[str, Any]:
    """What of the answer to a scan may never change."""
    return {name: answer[name] for name in ("verdict", "tier", "problem")}

"""The load generator and the reader of screens, against a server of a few lines."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from checkpoint.benchmarks.following import Line, Worker
from checkpoint.benchmarks.load import Call, WrongAnswer, get, post, quantile, run
from checkpoint.benchmarks.screens import Screen

Answer = Callable[[bytes], list[bytes]]


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """A keep-alive server on the loopback: for each request `answer(head)` gives the pieces that go out one by one."""

    def talk(line: socket.socket) -> None:
        with line:
            while head := line.recv(65536):
                for piece in answer(head):
                    line.sendall(piece)
                    time.sleep(0.001)

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    line, _address = listening.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def answered(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0), ([3], 0.99, 3), ([4, 1, 3, 2], 0.5, 3), (list(range(100)), 0.99, 99), (list(range(200)), 0.99, 198)],
)
def test_quantile(values: list[float], share: float, expected: float) -> None:
    assert quantile(values, share) == expected


def test_every_connection_works_and_answers_may_come_in_pieces() -> None:
    seen: list[bytes] = []

    def answer(head: bytes) -> list[bytes]:
        seen.append(head)
        whole = answered("200 OK", b"hello")
        return [whole[:7], whole[7:-3], whole[-3:]]

    with serving(answer) as port:
        sample = run(port, lambda: Call(get("/x"), b"200"), connections=3, seconds=0.2)
    assert len(sample.latencies) == len(seen) > 3
    assert sample.rps == pytest.approx(len(seen) / sample.seconds)
    assert seen[0].startswith(b"GET /x HTTP/1.1\r\n")


def test_a_rate_is_kept_however_quick_the_server_is() -> None:
    with serving(lambda _head: [answered("200 OK", b"")]) as port:
        sample = run(port, lambda: Call(get("/"), b"200"), connections=4, seconds=0.5, rate=40)
    assert len(sample.latencies) == 20


def test_a_latency_counts_from_the_moment_the_request_was_due() -> None:
    def slow(_head: bytes) -> list[bytes]:
        time.sleep(0.05)
        return [answered("200 OK", b"")]

    with serving(slow) as port:
        sample = run(port, lambda: Call(get("/"), b"200"), connections=1, seconds=0.3, rate=100)
    assert sample.quantile_ms(0.99) > 3 * 50  # the queue in front of the one connection is part of it


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered("500 Oops", b"broken"), "broken"),
        (answered("200 OK", b'{"problem":"forged"}'), "forged"),
    ],
)
def test_an_answer_that_is_not_what_was_expected_ends_the_run(answer: bytes, words: str) -> None:
    with serving(lambda _head: [answer]) as port, pytest.raises(WrongAnswer, match=words):
        run(port, lambda: Call(post("/", b"{}"), b"200", b'"problem":"'), connections=1, seconds=5)


def event(seq: int, alert: str) -> bytes:
    data = json.dumps({"alert": alert, "division": "330482101001", "event": "alert", "at": "2026-03-15T00:00:00+00:00"})
    return f"id: {seq}\nevent: alert\ndata: {data}\n\n".encode()


def chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 4096])
def test_a_screen_reads_its_events_however_the_bytes_are_cut(size: int) -> None:
    wire = b"".join(
        (
            chunk(event(5, "a") + event(6, "b")),
            chunk(b": ping\n\n"),
            chunk(b"id: 7\nevent: change\ndata: {}\n\n"),
            chunk(event(8, "c")),
        )
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        screen = Screen(ours)
        for start in range(0, len(wire), size):
            theirs.sendall(wire[start : start + size])
            screen.receive()
        assert screen.numbers == [5, 6, 8]
        assert [arrival.alert for arrival in screen.arrivals] == ["a", "b", "c"]
        theirs.close()
        with pytest.raises(WrongAnswer, match="closed"):
            screen.receive()


@pytest.mark.parametrize("size", [1, 3, 64, 4096])
def test_a_line_knows_what_came_when_and_where_it_stands(size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire = head + chunk(b"retry: 2000\n: connected\n\n") + chunk(event(5, "a") + event(6, "b")) + chunk(b": ping\n\n")
    half = chunk(event(7, "c"))[:-12]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line(ours)
        worker = Worker("token", ("0", "9"), 4, [line])
        assert (worker.last, line.connected) == (4, False)
        for start in range(0, len(wire), size):
            theirs.sendall(wire[start : start + size])
            line.receive()
        first = time.time()
        assert (worker.last, line.connected) == (6, True)
        theirs.sendall(half)
        line.receive()
        assert worker.last == 6  # an event counts when it is whole, as in a browser
        arrivals = worker.arrivals()
        assert [(one.seq, one.event, one.alert) for one in arrivals] == [(5, "alert", "a"), (6, "alert", "b")]
        assert all(one.came <= first for one in arrivals)
        assert (worker.has(6), worker.has(8)) == (True, False)


def test_a_line_that_is_refused_says_so() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 503 Busy\r\n\r\n")
        with pytest.raises(WrongAnswer, match="refused"):
            Line(ours).receive()

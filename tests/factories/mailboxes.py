"""A mail host on the loopback that takes every message and keeps it."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import cast


@contextmanager
def mail_host() -> Iterator[tuple[str, list[EmailMessage]]]:
    """Gives `host:port`, and the messages as they come."""
    taken: list[EmailMessage] = []

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 mail host of the tests")
            while line := self.rfile.readline():
                word = line[:4].strip().upper()
                if word == b"QUIT":
                    self.say("221 bye")
                    return
                if word == b"DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(part.removeprefix(b"."))
                    message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                    taken.append(cast(EmailMessage, message))
                self.say("250 taken")

    class Host(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Host(("127.0.0.1", 0), Session) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", taken
        finally:
            server.shutdown()
            thread.join()

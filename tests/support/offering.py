"""A real Redis behind a door that answers some commands as another product or a managed offering does.

What it answers is written down from documentation and clients' sources (Redis 7.2 and 8, Dragonfly, KeyDB and the managed
offerings are not run in these tests); everything else is the real server's.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import hiredis

from .redis_server import RunningServer

Answer = bytes | Callable[[Any], Any]
"""Raw RESP in place of the server's reply, or a function that changes it."""


def error(text: str) -> bytes:
    """An error reply."""
    return f"-{text}\r\n".encode()


@contextlib.contextmanager
def behind(server: RunningServer, answers: Mapping[str, Answer], *, away_s: float = 0.0) -> Iterator[int]:
    """The port of the door. `answers` by command, the longest name wins: `CONFIG GET save`, `CONFIG GET`, `CONFIG`.

    `away_s`: how far the server is, as the time of a round trip.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, server, answers, away_s), daemon=True).start()
        yield listener.getsockname()[1]


def _serve(listener: socket.socket, server: RunningServer, answers: Mapping[str, Answer], away_s: float) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_talk, args=(client, server, answers, away_s), daemon=True).start()


def _talk(client: socket.socket, server: RunningServer, answers: Mapping[str, Answer], away_s: float) -> None:
    asked, said = hiredis.Reader(), hiredis.Reader()
    with client, socket.socket(socket.AF_UNIX) as real, contextlib.suppress(OSError):
        real.connect(str(server.socket))
        while data := client.recv(65_536):
            time.sleep(away_s)
            asked.feed(data)
            while (command := asked.gets()) is not False:
                client.sendall(_reply(command, real, said, answers))


def _reply(command: list[bytes], real: socket.socket, said: hiredis.Reader, answers: Mapping[str, Answer]) -> bytes:
    words = [part.decode("utf-8", "replace") for part in command[:3]]
    names = (" ".join([*(word.upper() for word in words[:2]), *words[2:]][:count]) for count in (3, 2, 1))
    answer = next((answers[name] for name in names if name in answers), None)
    if isinstance(answer, bytes):
        return answer
    real.sendall(hiredis.pack_command(tuple(command)))
    while (reply := said.gets()) is False:
        said.feed(real.recv(65_536))
    return _encoded(answer(reply) if answer is not None else reply)


def _encoded(reply: Any) -> bytes:
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case list():
            return b"*%d\r\n" % len(reply) + b"".join(map(_encoded, reply))
        case hiredis.ReplyError():
            return error(str(reply))
        case str():
            return _encoded(reply.encode())
    return b"$%d\r\n%s\r\n" % (len(reply), reply)

"""The load: a process of its own that asks one service with so many clients, each on a connection it keeps.

Reads one JSON object from standard input (port, path, headers, bodies, clients), sends each body once, and writes
one JSON object: the seconds each reply took, in the order of sending, and the seconds in all. Only the standard
library is imported, and a reply is read but not parsed, so that the load takes little of the processor it shares.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

_LONGEST_REPLY = 60.0


async def _client(port: int, requests: Iterator[tuple[int, bytes]], replies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        replies[number] = time.perf_counter() - began
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head.splitlines()[0].decode()}: {body[:500].decode(errors='replace')}")
    writer.close()


async def _load(asked: dict[str, Any]) -> dict[str, Any]:
    head = f"POST {asked['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in asked["headers"].items())
    bodies = [body.encode() for body in asked["bodies"]]
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    replies = [0.0] * len(requests)
    shared = iter(enumerate(requests))
    began = time.perf_counter()
    async with asyncio.timeout(_LONGEST_REPLY + len(requests)):
        await asyncio.gather(*(_client(asked["port"], shared, replies) for _ in range(asked["clients"])))
    return {"replies": replies, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    json.dump(asyncio.run(_load(json.load(sys.stdin))), sys.stdout)

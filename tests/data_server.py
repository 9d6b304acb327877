"""A server on 127.0.0.1 that misbehaves as told, and a small CIFAR-10 for it to serve."""

from __future__ import annotations

import hashlib
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from minisam.data import load
from minisam.data.cifar import layouts
from minisam.data.cifar.layouts import Layout
from minisam.data.cifar.write import write_dataset

ARCHIVE = "cifar-10-python.tar.gz"


def small_archive(folder: Path) -> tuple[bytes, Layout]:
    """Return an archive of the toy set in CIFAR-10's format, and a layout with its hashes."""
    written = write_dataset(load("toy", train_size=50, test_size=10), folder)
    path = folder / ARCHIVE
    with tarfile.open(path, "w:gz") as tar:
        tar.add(written, written.name)
    files = [*written.iterdir(), path]
    hashes = {p.name: f"sha256:{hashlib.sha256(p.read_bytes()).hexdigest()}" for p in files}
    return path.read_bytes(), layouts.layouts("cifar10", "python")[0]._replace(hashes=hashes)


@contextmanager
def serving(archive: bytes) -> Iterator[tuple[str, list[str]]]:
    """Serve ``/behaviour/archive`` for each behaviour below; yield the address and the requests."""
    requests: list[str] = []
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            behaviour = self.path.split("/")[1]
            body = {
                "page": b"<!DOCTYPE html><html>Try later</html>",
                "other": b"\x1f\x8b another archive",
                "empty": b"",
            }.get(behaviour, archive)
            again = requests.count(self.path) > 1
            status = {"missing": 404, "broken": 500, "busy": 503}.get(behaviour, 200)
            self.send_response(302 if behaviour == "loop" else status)
            if behaviour == "loop":
                self.send_header("Location", self.path)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour == "stall":
                stopped.wait(20)
            elif behaviour == "drop" or (behaviour == "dropOnce" and not again):
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.connection.close()
            elif behaviour == "stallMidway":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                stopped.wait(20)
            elif behaviour == "flip":
                self.wfile.write(body[:500] + bytes([body[500] ^ 1]) + body[501:])
            elif behaviour == "slow":
                for first in range(0, len(body), 10_000):
                    self.wfile.write(body[first : first + 10_000])
                    time.sleep(0.02)
            elif status == 200:
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *arguments: None  # clients that give up are meant to
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""Serves the browser, and nobody else, what its pages load: on 127.0.0.1, under a secret path."""

from __future__ import annotations

import secrets
import shutil
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}
"""Chromium runs no module and compiles no stream of another type."""

# Without the first two a page has no SharedArrayBuffer, and with it no threads.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "max-age=86400, immutable",
}


class WebServer:
    """Files of some folders and single model files, until it is closed."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = {name: folder.resolve() for name, folder in folders.items()}
        self._models: dict[str, Path] = {}
        # Any user of the machine can ask a port of it: a model is for those who know the path.
        self._secret = secrets.token_urlsafe(24)
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.web = self
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        """The address of a file in one of the folders, or of an offered model."""
        return f"http://127.0.0.1:{self._http.server_port}/{self._secret}/{path}"

    def offer(self, model: Path) -> str:
        """The address of a model file, until it is withdrawn."""
        name = f"model/{secrets.token_hex(8)}"
        self._models[name] = model
        return self.url(name)

    def withdraw(self, url: str) -> None:
        """Serve that model no more."""
        self._models.pop(url.partition(f"/{self._secret}/")[2], None)

    def find(self, url: str) -> Path | None:
        """The file behind a request, None where there is none."""
        begin, _, name = unquote(urlsplit(url).path).lstrip("/").partition("/")
        if not secrets.compare_digest(begin.encode(), self._secret.encode()):
            return None
        if name in self._models:
            return self._models[name]
        room, _, rest = name.partition("/")
        if room not in self._folders:
            return None
        file = (self._folders[room] / rest).resolve()
        return file if file.is_relative_to(self._folders[room]) and file.is_file() else None

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    web: WebServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = self.server.web.find(self.path)
        try:
            if path is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            with path.open("rb") as file:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", TYPES.get(path.suffix, "application/octet-stream"))
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                shutil.copyfileobj(file, self.wfile)
        except ConnectionError:
            self.close_connection = True  # the page was closed while it loaded

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *_: object) -> None:
        """Nothing: the page tells what it could not load."""

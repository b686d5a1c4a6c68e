"""Files for the browser: under a secret path, and no others."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from resnet_edge.backends._web.server import WebServer


def test_server_gives_what_it_was_told_to_and_only_under_its_secret_path(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/page.mjs").write_text("1;")
    (tmp_path / "secret").write_text("secret")
    server = WebServer({"web": tmp_path / "web"})
    try:
        with urllib.request.urlopen(server.url("web/page.mjs")) as answer:
            assert answer.headers["Content-Type"] == "text/javascript"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
            assert answer.read() == b"1;"
        model = server.offer(tmp_path / "secret")
        with urllib.request.urlopen(model) as answer:
            assert answer.read() == b"secret"
        server.withdraw(model)
        begin = server.url("").rsplit("/", 2)[0]
        outside = [server.url(path) for path in ("web/../secret", "web/%2e%2e/secret", "secret", "web/")]
        for url in (model, f"{begin}/web/page.mjs", f"{begin}/wrong/web/page.mjs", *outside):
            with pytest.raises(urllib.error.HTTPError, match="404") as caught:
                urllib.request.urlopen(url)
            caught.value.close()
    finally:
        server.close()

"""One headless Chromium for this process, with a page for every open session.

It starts with the first page and ends with the process, however that ends (browser_sweep.py). Every call
into a page has a time limit: one that hangs is an error, and so is one whose page or browser is gone.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import tempfile
from collections.abc import Coroutine, Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import Browser as PlaywrightBrowser
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Playwright, async_playwright

from resnet_edge.backends._web import browser_sweep
from resnet_edge.backends._web.packages import chromium, node_modules
from resnet_edge.backends._web.server import WebServer
from resnet_edge.core.errors import ResnetEdgeError, first_line
from resnet_edge.workers.environment import USERS_TMPDIR

T = TypeVar("T")

WEB = Path(__file__).parent
LAUNCH_SECONDS = 60.0
CALL_SECONDS = 300.0
"""For one call: software WebGPU needs some 10 s for a ResNet-50, and opening one as long."""
CLOSE_SECONDS = 5.0

IDLE_PAGES = 4
PREFIX = "resnet-edge-browser-"
LONGEST_TMPDIR = 30
"""Of the 104 bytes of a socket's path on macOS, 108 on Linux, this folder and Chromium's take 74."""

ARGUMENTS = (
    # A real adapter where there is one, else SwiftShader, which says so (isFallbackAdapter). Without it
    # Chromium on Linux gives neither.
    "--enable-unsafe-webgpu",
    # Nothing leaves this machine, and no proxy stands between the page and us.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--disable-quic",
)
IGNORED = ("--disable-gpu",)
"""What Playwright would add, and what takes WebGPU away."""


class Browser:
    """A running Chromium, its profile and the server of its pages. Raises ResnetEdgeError."""

    def __init__(self) -> None:
        self._folder = _new_folder()
        self._sweep = browser_sweep.start(self._folder)
        self._server = WebServer({"web": WEB, "node_modules": node_modules()})
        self._runner = asyncio.Runner()
        self._playwright: Playwright | None = None
        self._idle: dict[Hashable, Page] = {}
        try:
            self._browser = self.do(self._start(), LAUNCH_SECONDS, "starting the browser")
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can still open pages."""
        return bool(self._browser.is_connected())

    def do(self, work: Coroutine[Any, Any, T], seconds: float, what: str) -> T:
        """Wait for something that Chromium does. Raises ResnetEdgeError."""
        try:
            return self._runner.run(_within(work, seconds))
        except TimeoutError as error:
            raise ResnetEdgeError(
                f"{what} took more than {seconds:.0f} s in the browser: use another backend"
            ) from error
        except PlaywrightError as error:
            raise ResnetEdgeError(
                f"the browser broke off {what} ({first_line(error)}): free some memory and run it again, or "
                "use another backend"
            ) from error

    async def _start(self) -> PlaywrightBrowser:
        with _temporary_files_in(self._folder):
            self._playwright = await async_playwright().start()
        # Chromium refuses its sandbox to the superuser, and many containers have none to give. A runtime
        # in Python opens the same files without one.
        sandbox = os.geteuid() != 0
        try:
            browser = await _launch(self._playwright, sandbox)
        except PlaywrightError as error:
            if "No usable sandbox" not in str(error):
                raise
            browser = await _launch(self._playwright, sandbox=False)
        session = await browser.new_browser_cdp_session()
        info = await session.send("SystemInfo.getProcessInfo")
        for process in info["processInfo"]:
            if process["type"] == "browser":
                self._tell_sweep(int(process["id"]))
        self._context = await browser.new_context()
        return browser

    def _tell_sweep(self, process: int) -> None:
        assert self._sweep.stdin is not None
        self._sweep.stdin.write(f"{process}\n".encode())
        self._sweep.stdin.flush()

    @contextmanager
    def page(self, model: Path, kind: Hashable) -> Iterator[OpenPage]:
        """A page to which `model` is served: a new one, or one that served another model of this kind and
        is whole. Loading a runtime into a new one takes most of a second."""
        page = self._idle.pop(kind, None) or self.do(self._new_page(), LAUNCH_SECONDS, "opening a page")
        lent = OpenPage(self, page, self._server.offer(model))
        try:
            yield lent
        finally:
            self._server.withdraw(lent.model)
            self._take_back(lent, page, kind)

    def _take_back(self, lent: OpenPage, page: Page, kind: Hashable) -> None:
        if lent.whole:
            with suppress(ResnetEdgeError):  # then it is not whole
                lent.call("close", {}, CLOSE_SECONDS)
        if lent.whole:
            unwanted = self._idle.pop(kind, None)
            self._idle[kind] = page
            if unwanted is None and len(self._idle) > IDLE_PAGES:
                unwanted = self._idle.pop(next(iter(self._idle)))
        else:
            unwanted = page
        if unwanted is not None:
            self._discard(unwanted)

    def _discard(self, page: Page) -> None:
        with suppress(ResnetEdgeError):  # it is gone already, or hangs: then all goes
            self.do(page.close(), CLOSE_SECONDS, "closing a page")
        if not page.is_closed():
            self.close()

    async def _new_page(self) -> Page:
        page = await self._context.new_page()
        await page.goto(self._server.url("web/page.html"))
        return page

    def close(self) -> None:
        """End it. A browser that does not go is killed."""
        with suppress(ResnetEdgeError):
            if self._playwright is not None:
                self.do(self._playwright.stop(), CLOSE_SECONDS, "closing Chromium")
        self._playwright = None
        self._runner.close()
        self._server.close()
        assert self._sweep.stdin is not None
        self._sweep.stdin.close()
        self._sweep.wait()


class OpenPage:
    """A page with web/page.mjs loaded; `model` is the address of its model file."""

    def __init__(self, browser: Browser, page: Page, model: str) -> None:
        self._browser, self._page, self.model = browser, page, model
        self.whole = True
        """No call failed: after that nobody knows what is left of a runtime."""

    def call(self, function: str, request: dict[str, Any], seconds: float = CALL_SECONDS) -> dict[str, Any]:
        """The answer of one of the functions of web/page.mjs. Raises ResnetEdgeError."""
        whole, self.whole = self.whole, False
        work = self._page.evaluate(f"request => resnetEdge.{function}(request)", request)
        answer: dict[str, Any] = self._browser.do(work, seconds, f"the call {function!r}")
        self.whole = whole and "error" not in answer
        return answer


_browser: Browser | None = None


def browser() -> Browser:
    """This process's browser, started when it is first needed and again where it has died."""
    global _browser
    if _browser is None:
        atexit.register(_close)
    elif not _browser.alive:
        _close()
    if _browser is None:
        _browser = Browser()
    return _browser


def _close() -> None:
    global _browser
    if _browser is not None:
        _browser.close()
    _browser = None


async def _within(work: Coroutine[Any, Any, T], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await work


async def _launch(playwright: Playwright, sandbox: bool) -> PlaywrightBrowser:
    return await playwright.chromium.launch(
        executable_path=chromium("browser"),
        args=ARGUMENTS,
        ignore_default_args=IGNORED,
        chromium_sandbox=sandbox,
    )


def _new_folder() -> str:
    """Where temporary files go, unless Chromium's socket in it would have too long a path (unix(7)). Not in
    the worker's folder for them: Chromium outlives the worker, and would write in it while it is removed."""
    place = os.environ.get(USERS_TMPDIR) or tempfile.gettempdir()
    return tempfile.mkdtemp(prefix=PREFIX, dir="/tmp" if len(os.fsencode(place)) > LONGEST_TMPDIR else place)


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    """For what is started meanwhile: Playwright and Chromium leave profiles behind when they are killed."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before

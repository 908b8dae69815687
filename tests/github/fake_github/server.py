"""The fake over HTTP: who asks, what goes wrong on the way, pages, and the contract around everything."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fake_github import builds, git, routes, settings
from fake_github.contract import BrokenContractError, check_answer, check_request, match
from fake_github.world import World
from hilgate.github.access import Access
from hilgate.github.client import Client
from hilgate.github.clock import Clock

WORKFLOW = "workflow-token"
Headers = dict[str, str]
HANDLERS = {**routes.HANDLERS, **git.HANDLERS, **settings.HANDLERS, **builds.HANDLERS}


@dataclass
class Fault:
    """What happens instead of an answer. times: how often; status 0: the line is cut, -1: nothing but `before`.

    lost: the call is carried out, but its answer is this one; before: what somebody else does just then.
    """

    method: str
    path: str  # a pattern
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    lost: bool = False
    before: Any = None

    def hits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("", method) and re.search(self.path, path) is not None


@dataclass
class Call:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    status: int = 0


class FakeGitHub:
    """A server in a thread. `world` is its memory, `calls` what it was asked, `violations` what broke the contract."""

    def __init__(self, prefix: str = "") -> None:
        self.world, self.faults, self.calls, self.violations = World(), [], [], []
        self.prefix = prefix  # /api/v3 of an Enterprise Server
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def client(self, token: str = WORKFLOW, app: str = "github-actions", **fields: Any) -> Client:
        clock = Clock(self.world.clock.now, self.world.clock.sleep, lambda: 0.0)
        access = Access(self.world.repository, token, self.url, "https://github.com", app)
        return Client(access, clock, **fields)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def said(self, method: str, pattern: str = "") -> list[Call]:
        """Calls that were carried out."""
        return [call for call in self.calls if call.method == method and re.search(pattern, call.path)]

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        """Everything between a request and its answer."""
        with self._lock:
            parts = urlsplit(target.removeprefix(self.prefix))
            document = json.loads(body) if body else None
            call = Call(method, parts.path, dict(parse_qsl(parts.query)), document, headers)
            self.calls.append(call)
            fault = next((fault for fault in self.faults if fault.hits(method, parts.path)), None)
            if fault:
                fault.times -= 1
                if fault.before:
                    fault.before(self.world)
            if fault and not fault.lost and fault.status >= 0:
                call.status = fault.status
                return fault.status, fault.headers, fault.body
            old = f"/repos/{self.world.old_name}/"
            if self.world.old_name and f"{parts.path}/".startswith(old):
                new = parts.path.replace(old.rstrip("/"), f"/repos/{self.world.repository}", 1)
                call.status = 301
                return 301, {"Location": f"{self.url}{new}" + (f"?{parts.query}" if parts.query else "")}, b""
            try:
                check_request(method, target.removeprefix(self.prefix), body)
                call.status, extra, content = self._carry_out(call)
                check_answer(method, target.removeprefix(self.prefix), call.status, content)
            except Exception as error:
                self.violations.append(f"{type(error).__name__}: {error}")
                raise
            return (fault.status, fault.headers, fault.body) if fault and fault.lost else (call.status, extra, content)

    def _carry_out(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        actor = self.world.tokens.get(call.headers.get("Authorization", "").removeprefix("Bearer "))
        if actor is None:
            return 401, {}, _text({"message": "Bad credentials"})
        if any(part in call.path for part in self.world.without):
            return 404, {}, _text(_refusal("Not Found"))
        (_, path), names = match(call.method, call.path)
        if "owner" in names and f"{names['owner']}/{names['repo']}" != self.world.repository:
            return 404, {}, _text(_refusal("Not Found"))
        status, document = HANDLERS[call.method, path](self.world, actor, names, call)
        headers: dict[str, str] = {}
        if status == 403 and "needs" in document:
            headers["X-Accepted-GitHub-Permissions"] = document.pop("needs")
        document, link = self._page(call, document)
        return status, {**headers, **link}, b"" if document is None else _text(document)

    def _page(self, call: Call, document: Any) -> tuple[Any, dict[str, str]]:
        """One page of a list, and the address of the next."""
        key = next(
            (key for key in ("check_runs", "workflow_runs") if isinstance(document, dict) and key in document), ""
        )
        whole = document[key] if key else document
        if not isinstance(whole, list) or call.method != "GET":
            return document, {}
        size, number = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
        assert 1 <= size <= 100, "GitHub gives at most 100 per page"
        shown = whole[(number - 1) * size : number * size]
        link = {}
        if number * size < len(whole):
            query = urlencode({**call.query, "page": number + 1})
            link["Link"] = f'<{self.url}{call.path}?{query}>; rel="next", <{self.url}{call.path}>; rel="last"'
        return ({**document, key: shown} if key else shown), link


def _refusal(message: str) -> dict[str, str]:
    return {"message": message, "documentation_url": "https://docs.github.com/rest", "status": "404"}


def _text(document: Any) -> bytes:
    """As GitHub writes it: < takes six bytes."""
    return json.dumps(document).replace("<", "\\u003c").encode()


def _handler(fake: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else each answer waits 40 ms for an acknowledgement
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, headers, content = fake.answer(self.command, self.path, dict(self.headers), body)
            except (BrokenContractError, KeyError, AssertionError, TypeError, AttributeError) as error:
                status, headers, content = 418, {}, _text({"message": f"the test's GitHub: {error}"[:500]})
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    return Handler

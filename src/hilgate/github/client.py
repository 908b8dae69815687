"""One call to GitHub, made until it is answered: rate limits, broken gateways, renamed repositories.

The token travels in one header to one host. Redirects elsewhere are refused, and `requests` is kept from replacing the
header by what a .netrc says. A call that may not be carried out twice (POST) is never repeated blindly: see once.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hilgate.errors import GitHubError
from hilgate.github import answer as answers
from hilgate.github import patience as waiting
from hilgate.github.access import Access
from hilgate.github.answer import Answer
from hilgate.github.clock import Clock
from hilgate.github.patience import Patience
from hilgate.github.refusal import UncertainError, refused

if TYPE_CHECKING:
    from requests import PreparedRequest, Session

API_VERSION = "2022-11-28"
TIMEOUTS_S = (10.0, 30.0)  # to connect, between two bytes
MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 307, 308})
Query = Mapping[str, str | int]


def asking(path: str, query: Query | None) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(query)}" if query else path


@dataclass(frozen=True)
class Client:
    """GitHub's REST interface for one repository."""

    access: Access
    clock: Clock = field(default_factory=Clock)
    patience: Patience = field(default_factory=Patience)

    def repo(self, *parts: str | int) -> str:
        """Path below the repository, each part quoted: repo("labels", "a/b") is /repos/o/r/labels/a%2Fb."""
        return "/".join([f"/repos/{self.access.repository}", *(quote(str(part), safe="") for part in parts)])

    def get(self, path: str, query: Query | None = None) -> Any:
        """The document at a path. Raises RefusedError, GitHubError."""
        return self.call("GET", asking(path, query)).json()

    def find(self, path: str, query: Query | None = None) -> Any:
        """The same, or None where GitHub says 404: there is no such thing, or this token may not see it."""
        found = self.call("GET", asking(path, query), allow=(404,))
        return None if found.status == 404 else found.json()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        repeat: bool | None = None,
        allow: tuple[int, ...] = (),
    ) -> Answer:
        """Send until answered. repeat: may be carried out twice (default: all but POST); allow: refusals to hand back.

        Raises RefusedError; UncertainError when a call that may not be repeated has no clear answer; GitHubError when
        patience ends.
        """
        repeat = method != "POST" if repeat is None else repeat
        started, where = self.clock.now(), f"{method} {path}"[:300]
        for attempt in range(self.patience.attempts):
            answer, trouble = self._try(method, path, body)
            limited = answer is not None and waiting.is_limited(answer.status, answer.headers, answer.message())
            if answer is not None and not limited:
                if answer.status < 400 or answer.status in allow:
                    return answer
                if answer.status not in waiting.BROKEN:
                    raise refused(answer, method, path)
            if not limited and not repeat:
                raise UncertainError(trouble, where=where, hint="it may have been carried out nevertheless")
            delay = waiting.backoff_s(attempt, self.clock)
            if limited and answer is not None:
                delay = waiting.limit_delay_s(answer.headers, attempt, self.clock)
            self._wait(delay, started, trouble, where)
        hint = "see https://www.githubstatus.com, then run the job again"
        raise GitHubError(f"{trouble}, {self.patience.attempts} times in a row", where=where, hint=hint)

    def _wait(self, delay_s: float, started: float, trouble: str, where: str) -> None:
        if self.clock.now() - started + delay_s > self.patience.total_s:
            hint = f"it asks for another {delay_s:.0f} s, more than this job waits: run it again then"
            raise GitHubError(trouble, where=where, hint=hint)
        self.clock.sleep(delay_s)

    def _try(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[Answer | None, str]:
        """One attempt with its redirects: the answer or None, and what to call the trouble."""
        from requests.exceptions import RequestException, SSLError

        url, where = self._url(path), f"{method} {path}"[:300]
        for _ in range(MOST_REDIRECTS):
            try:
                response = self._session.request(
                    method,
                    url,
                    json=body,
                    headers=self._headers(),
                    timeout=TIMEOUTS_S,
                    allow_redirects=False,
                    stream=True,
                )
                answer = answers.read(response, where, self.clock)
            except SSLError as error:
                hint = "set REQUESTS_CA_BUNDLE to your company's certificates, if this server has one of its own"
                raise GitHubError("the server's certificate is not trusted", where=where, hint=hint) from error
            except (RequestException, OSError) as error:
                return None, f"no answer from {urlsplit(url).hostname}: {type(error).__name__}"
            if answer.status not in REDIRECTS:
                return answer, f"GitHub answered {answer.status}"
            url = self._same_host(urljoin(url, answer.headers.get("location", "")), where)
        raise GitHubError(f"more than {MOST_REDIRECTS} redirects", where=where)

    @cached_property
    def _session(self) -> Session:
        """One for all calls, so that connections are used again; it takes no cookies."""
        from http.cookiejar import DefaultCookiePolicy

        from requests import Session

        session = Session()
        session.auth = self._authorize
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session

    def _authorize(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.access.token}"
        return request

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "hilgate",
        }

    def _url(self, path: str) -> str:
        return self._same_host(path, path) if path.startswith(("http:", "https:")) else self.access.api_url + path

    def _same_host(self, url: str, where: str) -> str:
        """The url, when the token may travel there: scheme, host and port are those of the interface."""
        ours, theirs = urlsplit(self.access.api_url), urlsplit(url)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            hint = "the token goes to no other host; set GITHUB_API_URL to the address that GitHub has now"
            raise GitHubError(f"a redirect to another host, {theirs.hostname!r}", where=where, hint=hint)
        return url

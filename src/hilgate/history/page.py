"""The trend page: one HTML file that needs no network and no server, for 10,000 commits and more.

The data stands in it by columns: whole numbers as differences, commits once for all series. templates/draw.js draws
what is on the screen, least and greatest value of each pixel column; the text (latest values) is there without it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from hilgate.artifacts import atomic_write
from hilgate.errors import UsageError
from hilgate.history.branch import Content
from hilgate.history.columns import payload
from hilgate.history.series import Series, Trend, series_of
from hilgate.tools import run_git
from hilgate.units import NAMES, amount, change

WEB = re.compile(r"https?://[A-Za-z0-9.-]{1,200}(:\d{1,5})?(/[A-Za-z0-9._~-]{1,100}){1,10}")
MOST_DAMAGED = 20
SCRIPTS = ("values.js", "draw.js", "page.js")


def write_page(root: Path, content: Content, out: Path, link: str | None = None) -> Path:
    """Write <out>/index.html and give its path. link: the repository's address, for links to commits.

    Raises UsageError: an address that is none, a folder that cannot be written.
    """
    if link is not None and not WEB.fullmatch(link.removesuffix("/")):
        raise UsageError(f"{link[:200]!r} is no address", where="--link", hint="such as https://github.com/owner/name")
    address = link.removesuffix("/") if link else repository_address(root)
    path = out / "index.html"
    try:
        atomic_write(path, render(content, root.resolve().name, address).encode())
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return path


def render(content: Content, title: str, address: str = "") -> str:
    """The page's text. address: of the repository, without a slash at its end, or empty."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = series_of(content.lines.values())
    environment = Environment(
        loader=PackageLoader("hilgate.history"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _asset("page.css")
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{parts}}})();\n'
    return environment.get_template("page.html.j2").render(
        title=title,
        series=[_view(one) for one in found],
        commits=len({line.commit for line in content.lines.values()}),
        damaged=content.damaged[:MOST_DAMAGED],
        more_damaged=max(0, len(content.damaged) - MOST_DAMAGED),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_script_safe({**payload(found), "link": address}),
    )


def repository_address(root: Path) -> str:
    """Where commits can be looked at: GitHub's own variables in a workflow, else origin's address; or empty."""
    server, name = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
    if server and name and WEB.fullmatch(f"{server}/{name}"):
        return f"{server}/{name}"
    answer = run_git(root, "remote", "get-url", "origin").stdout.decode("utf-8", "replace").strip()
    return web_address(answer)


def web_address(remote: str) -> str:
    """https://host/owner/name from any form of a remote's address, without user or token; empty when it has none."""
    by_ssh = re.fullmatch(r"(?:ssh://)?[\w.-]+@([A-Za-z0-9.-]+)(?::\d+/|[:/])(.+?)(?:\.git)?/?", remote)
    by_web = re.fullmatch(r"(https?)://(?:[^@/]*@)?([A-Za-z0-9.:-]+)/(.+?)(?:\.git)?/?", remote)
    found = f"https://{by_ssh[1]}/{by_ssh[2]}" if by_ssh else f"{by_web[1]}://{by_web[2]}/{by_web[3]}" if by_web else ""
    return found if WEB.fullmatch(found) else ""


def _view(series: Series) -> dict[str, Any]:
    """What the page says in words about one series."""
    last = series.lines[-1]
    names = ("cell", "task", "board", "testbed", "source")
    return {
        **{name: getattr(series, name) for name in names},
        "evidence": last.evidence,
        "toolchain": last.toolchain,
        "count": len(series.lines),
        "date": last.date[:10],
        "commit": last.commit[:10],
        "subject": last.subject,
        "trends": [_trend_view(trend) for trend in series.trends()],
    }


def _trend_view(trend: Trend) -> dict[str, Any]:
    moved = "first" if trend.change is None else change(trend.unit, trend.change, trend.previous)
    return {
        "metric": trend.metric,
        "name": NAMES[trend.metric],
        "latest": amount(trend.unit, trend.latest),
        "moved": f"{moved}, other toolchain" if trend.across else moved,
        "still": trend.change == 0,
        "budget": "" if trend.budget is None else amount(trend.unit, trend.budget),
        "over": trend.over,
        "points": len(trend.points),
    }


def _asset(name: str) -> str:
    return resources.files("hilgate.history").joinpath(f"templates/{name}").read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script_safe(content: Any) -> str:
    """JSON that cannot end its <script> element, whatever text is in it."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

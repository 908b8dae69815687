"""One file over HTTPS: resumable, limited in size, never half under its final name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilgate.errors import DataError

if TYPE_CHECKING:
    import requests

ATTEMPTS = 3  # a cut connection is taken up again where it broke
TIMEOUT_S = (10, 60)  # to connect, and between two chunks
CHUNK_BYTES = 1 << 16
Advance = Callable[[int, int | None], None]  # bytes so far, and in all if the server says


@dataclass(frozen=True)
class Download:
    """url -> path; limit_bytes: more than this is refused."""

    url: str
    path: Path
    limit_bytes: int

    @property
    def part(self) -> Path:
        """Where the bytes gather until they are all there; a later download goes on from it."""
        return self.path.with_name(self.path.name + ".part")


def download(job: Download, advance: Advance = lambda done, total: None) -> None:
    """Fetch job.url into job.path; `advance` is told how far it is. Raises DataError; then job.part stays.

    Whether a part and its rest belong to one file is for the caller's pins to say.
    """
    import requests

    job.path.parent.mkdir(parents=True, exist_ok=True)
    problem = "the connection broke"
    for _ in range(ATTEMPTS):
        try:
            if _attempt(job, advance):
                job.part.replace(job.path)
                return
        except requests.exceptions.ChunkedEncodingError as error:
            problem = f"the connection broke: {_short(error)}"
        except requests.exceptions.ProxyError as error:
            raise DataError(f"cannot reach it through the proxy: {_short(error)}", where=job.url) from error
        except requests.exceptions.ConnectionError as error:
            if "timed out" not in str(error).lower() and not job.part.exists():
                raise DataError(f"cannot connect: {_short(error)}", where=job.url) from error
            problem = f"the connection broke: {_short(error)}"
        except (requests.exceptions.RequestException, ValueError) as error:  # ValueError: a host that cannot be
            raise DataError(f"the download failed: {_short(error)}", where=job.url) from error
        except OSError as error:
            raise DataError(
                f"cannot be written: {error.strerror}", where=str(job.part), hint="free some space"
            ) from error
    have = job.part.stat().st_size if job.part.exists() else 0
    raise DataError(
        f"{problem}, after {have} bytes and {ATTEMPTS} attempts", where=job.url, hint="run it again: it resumes"
    )


def _attempt(job: Download, advance: Advance) -> bool:
    """One request, from where the part ends; True when everything is there."""
    import requests

    have = job.part.stat().st_size if job.part.exists() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(job.url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        if response.status_code == 416:  # the part is not a beginning of this file
            job.part.unlink(missing_ok=True)
            return False
        if response.status_code not in (200, 206):
            raise DataError(f"the server answered {response.status_code} {response.reason}", where=job.url)
        resumed = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        return _store(job, response, have if resumed else 0, advance)


def _store(job: Download, response: requests.Response, start: int, advance: Advance) -> bool:
    """Append the body from `start`; True when it was as long as the server promised."""
    promised = response.headers.get("Content-Length", "")
    total = start + int(promised) if promised.isdecimal() else None
    done = start
    if total is not None and total > job.limit_bytes:
        raise _too_long(job)
    response.raw.enforce_content_length = False  # else urllib3 drops the tail of a cut body; we count ourselves
    response.raw.headers.pop("Content-Encoding", None)  # some servers call .gz files so; lengths count what is sent
    with job.part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        for chunk in response.iter_content(CHUNK_BYTES):
            done += len(chunk)
            if done > job.limit_bytes:
                file.truncate(0)
                raise _too_long(job)
            file.write(chunk)
            advance(done, total)
    return total is None or done == total


def _too_long(job: Download) -> DataError:
    return DataError(f"longer than the {job.limit_bytes} bytes it may have", where=job.url)


def _short(error: BaseException) -> str:
    """The innermost reason of a requests error, without the object that it names first."""
    while inner := next((arg for arg in (getattr(error, "reason", None), *error.args) if _is_error(arg)), None):
        error = inner
    text = " ".join(str(error).split())
    return (text.partition("): ")[2] or text)[:160] or type(error).__name__


def _is_error(value: object) -> bool:
    return isinstance(value, BaseException)

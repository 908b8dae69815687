"""Every error that reaches a user, as one tree.

HilgateError                      exit code
├── UsageError                     2   the command line or the project folder is wrong
├── ParamsError                    3   params.yaml, board.toml or another text that people write
├── DataError                      4   a data set: download, hash, format
├── ModelError                     5   a model that cannot be trained, exported, quantized or compiled
├── BuildError                     6   CMake, compiler or linker refused
├── DoesNotFitError                7   the image is larger than the board's flash or RAM
├── ToolMissingError               8   a program or package that is not installed
├── ArtifactError                  9   a file between rooms: missing, wrong schema, wrong version, damaged
├── TaskError                     13   a task's own code (src/tasks) raised, or returned what cannot be used
├── LinkError                     20   the way to the board
│   ├── PortMissingError          21   no such port
│   ├── PortBusyError             22   somebody else has it open
│   ├── SilentError               23   nothing answers
│   ├── GarbageError              24   what answers is not hilgate's firmware
│   └── LostError                 25   the port or the board vanished half-way
├── StaleImageError               26   the board runs another image than the one under test
├── DeviceError                   27   the firmware answered with an error code, or crashed
├── VirtualFault                  28   the virtual board met something that it does not model
├── ParityError                   29   outputs differ from the reference
├── GitHubError                   30   GitHub did not answer, or refused
├── ClaimError                    31   what a pull request's own jobs sent breaks a rule
└── ProbeError                    32   no debug probe, or it cannot flash the board
The gate's own verdicts use the exit codes 0 (pass, warn), 10 (fail), 11 (inconclusive), 12 (waiting).
"""

from __future__ import annotations


class HilgateError(Exception):
    """What went wrong, where, and what to do about it: each error carries all three.

    what: one sentence; where: file, node, port or command; hint: the next thing to try.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(HilgateError):
    exit_code = 2


class ParamsError(HilgateError):
    exit_code = 3


class DataError(HilgateError):
    exit_code = 4


class ModelError(HilgateError):
    """Its words may hold names and numbers from a hostile file: each part is bounded and printable."""

    exit_code = 5
    longest = 400

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(self._tame(what), where=self._tame(where), hint=self._tame(hint))

    @classmethod
    def _tame(cls, text: str) -> str:
        start = text[: cls.longest] + ("..." if len(text) > cls.longest else "")
        return "".join(c if c.isprintable() else "?" for c in start)


class BuildError(HilgateError):
    exit_code = 6


class DoesNotFitError(HilgateError):
    exit_code = 7


class ToolMissingError(HilgateError):
    exit_code = 8


class ArtifactError(HilgateError):
    exit_code = 9


class TaskError(HilgateError):
    exit_code = 13


class LinkError(HilgateError):
    exit_code = 20


class PortMissingError(LinkError):
    exit_code = 21


class PortBusyError(LinkError):
    exit_code = 22


class SilentError(LinkError):
    exit_code = 23


class GarbageError(LinkError):
    exit_code = 24


class LostError(LinkError):
    exit_code = 25


class StaleImageError(HilgateError):
    exit_code = 26


class DeviceError(HilgateError):
    exit_code = 27


class VirtualFault(HilgateError):  # noqa: N818
    exit_code = 28


class ParityError(HilgateError):
    exit_code = 29


class GitHubError(HilgateError):
    exit_code = 30


class ClaimError(HilgateError):
    exit_code = 31


class ProbeError(HilgateError):
    exit_code = 32

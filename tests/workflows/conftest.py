"""Workflows run by act, in a scratch server repository, with stubs for other people's actions and for the container.

Real: the workflows (but for `cache-mode` and `deployment`, which act does not know yet), git, the scripts, `hilgate`
and what it asks of the fake GitHub. In place of the real thing: checkout, artifacts and caches (folders), installing
(the tests' own Python), docker (the host). act ignores permissions, environments, concurrency and time-outs, which
test_workflows.py looks at.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
COMPOSITE = """name: stub
inputs:
{inputs}runs:
  using: composite
  steps:
    - shell: bash
      env:
{env}      run: |
{run}"""
STUBS = {  # action -> (inputs, bash)
    "actions/checkout": ("ref", 'git clone -q "$SERVER" . && git checkout -q --detach "${REF:-main}"'),
    "actions/cache": ("path", "true"),
    "actions/cache/restore": ("path", "true"),
    "actions/upload-artifact": (
        "name path if-no-files-found",
        '[ -e "$PATH_" ] || { [ "$IF_NO_FILES_FOUND" = ignore ]; exit $?; }\n'
        'mkdir -p "$STORE/$NAME" && if [ -d "$PATH_" ]; then cp -r "$PATH_/." "$STORE/$NAME"; '
        'else cp "$PATH_" "$STORE/$NAME"; fi',
    ),
    "actions/download-artifact": (
        "name pattern path skip-decompress run-id",
        'mkdir -p "$PATH_"\n'
        'if [ -n "$PATTERN" ]; then for one in "$STORE"/$PATTERN; do '
        '[ ! -d "$one" ] || cp -r "$one/." "$PATH_"; done; exit 0; fi\n'
        '[ -d "$STORE/$NAME" ] || { echo "Unable to download artifact(s): $NAME"; exit 1; }\n'
        'if [ "$SKIP_DECOMPRESS" = true ]; then "$PYTHON" -m zipfile -c "$PATH_/$NAME.zip" "$STORE/$NAME"/*; '
        'else cp -r "$STORE/$NAME/." "$PATH_"; fi',
    ),
    "actions/create-github-app-token": ("client-id", "false"),
    "actions/upload-pages-artifact": ("path", "false"),
    "actions/deploy-pages": ("x", "false"),
}
DOCKER = """#!/bin/bash
[ "$1" != image ] || exit 1
[ "$1" = run ] || exit 0
shift
while [ $# -gt 0 ]; do
    case $1 in
        --env | --user | --workdir | --volume) shift 2 ;;
        -*) shift ;;
        *) shift && break ;;
    esac
done
exec "$@"
"""
INSTALL = """#!/bin/bash
mkdir -p .venv/bin && cp "$TOOLS/hilgate" .venv/bin/
"""
# hilgate as a job sees it; $TOOLS/before/<words> stops it until the test has changed the world.
HILGATE = """#!/bin/bash
echo "$*" >>"$TOOLS/calls"
name=$(printf '%s-%s' "$1" "$2")
if [ -e "$TOOLS/before/$name" ]; then
    touch "$TOOLS/before/$name.reached"
    for _ in $(seq 300); do [ ! -e "$TOOLS/before/$name" ] && break; sleep 0.1; done
fi
[ ! -x "$TOOLS/instead" ] || exec "$TOOLS/instead" "$@"
export GITHUB_API_URL=$API GITHUB_ACTIONS=true
exec "$PYTHON" -m hilgate.cli "$@"
"""


def load_conftest(area: str) -> ModuleType:
    """The helpers of another area's tests, which are no package."""
    name = f"conftest_of_{area}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / area / "conftest.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


product = load_conftest("ci").product  # fixtures of other areas: a built product, and a GitHub that remembers
make_github, github = load_conftest("github").make_github, load_conftest("github").github


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write_stubs(folder: Path) -> list[str]:
    """A folder for each action at the SHA that the workflows pin; gives act's options."""
    pinned = set()
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        pinned |= set(re.findall(r"\buses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40})", path.read_text()))
    options = {}
    for action, sha in pinned:
        if action not in STUBS:
            continue
        names, run = STUBS[action][0].split(), STUBS[action][1]
        inputs = "".join(f"  {name}: {{ default: '' }}\n" for name in names)
        variables = {"PATH_" if name == "path" else name.upper().replace("-", "_"): name for name in names}
        env = "".join(f"        {key}: ${{{{ inputs.{name} }}}}\n" for key, name in variables.items())
        script = "".join(f"        {line}\n" for line in run.splitlines())
        repository = "/".join(action.split("/")[:2])
        place = folder / repository.replace("/", "+")
        target = place / action.removeprefix(repository).strip("/")
        target.mkdir(parents=True, exist_ok=True)
        (target / "action.yml").write_text(COMPOSITE.format(inputs=inputs, env=env, run=script))
        options[f"{repository}@{sha}"] = place
    return [f"--local-repository={name}={place}" for name, place in options.items()]


@dataclass
class Run:
    """What act did. jobs: name -> succeeded or failed, in the order in which they ended."""

    code: int
    log: str
    jobs: dict[str, str]


@dataclass
class Actions:
    """A server repository whose main has the workflows, and a way to let events happen."""

    server: Path
    scratch: Path
    api: str = ""
    options: list[str] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return self.scratch / "store"

    @property
    def tools(self) -> Path:
        return self.scratch / "tools"

    def git(self, *words: str) -> str:
        return git(self.server, *words)

    def commit(self, message: str) -> str:
        """Everything in the server's folder; gives the SHA."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def calls(self) -> list[str]:
        """Commands of hilgate, in order."""
        path = self.tools / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def summary(self) -> str:
        return "".join(path.read_text("utf-8", "replace") for path in self.scratch.rglob("SUMMARY*") if path.is_file())

    def instead(self, script: str) -> None:
        """In place of hilgate."""
        (self.tools / "instead").write_text(f"#!/bin/bash\n{script}\n")
        (self.tools / "instead").chmod(0o755)

    def run(
        self,
        event: str,
        payload: dict[str, Any],
        workflow: str,
        before: dict[str, Callable[[], None]] | None = None,
        **variables: str,
    ) -> Run:
        """Let an event happen. before: `ci-post` -> what changes in the world just before that command begins."""
        path = self.scratch / "event.json"
        path.write_text(json.dumps(payload))
        watchers = [self._watch(name, change) for name, change in (before or {}).items()]
        env = {"SERVER": f"file://{self.server}", "STORE": str(self.store), "TOOLS": str(self.tools), "API": self.api}
        env |= {"PYTHON": sys.executable, "GITHUB_REPOSITORY": "acme/widget", "GITHUB_RUN_ID": "100"}
        env |= {"HILGATE_CONTAINER_CACHE": str(self.scratch / "cache"), "PATH": f"{self.tools}:{os.environ['PATH']}"}
        command = [str(Path(sys.executable).with_name("act")), event, "-W", f".github/workflows/{workflow}.yml"]
        command += ["-e", str(path), "-P", "ubuntu-24.04=-self-hosted", "-s", "GITHUB_TOKEN=workflow-token"]
        command += [
            "-P",
            "self-hosted=-self-hosted",
            "--no-skip-checkout",
            "--no-cache-server",
            "--log-prefix-job-id",
            *self.options,
        ]
        command += [f"--env={name}={value}" for name, value in env.items()]
        command += [f"--var={name}={value}" for name, value in variables.items()]
        home = {**os.environ, "HOME": str(self.scratch / "home")}
        done = subprocess.run(command, cwd=self.server, env=home, capture_output=True, text=True, timeout=300)
        for watcher in watchers:
            watcher.join(timeout=1)
        log = done.stdout + done.stderr
        ended = re.findall(r"^\[([^\]]+?)\s*\] .*Job (succeeded|failed)", log, re.M)
        return Run(done.returncode, log, {re.split(r"[/ ]", name)[-1]: how for name, how in ended})

    def _watch(self, name: str, change: Callable[[], None]) -> threading.Thread:
        gate = self.tools / "before" / name
        gate.parent.mkdir(exist_ok=True)
        gate.touch()

        def watch() -> None:
            for _ in range(3000):
                if gate.with_name(f"{name}.reached").exists():
                    change()
                    gate.unlink()
                    return
                time.sleep(0.1)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return thread


@pytest.fixture
def actions(tmp_path: Path) -> Iterator[Actions]:
    """An empty server repository with .github, scripts (installing is stubbed) and a Makefile."""
    found = Actions(tmp_path / "server", tmp_path)
    found.server.mkdir()
    for folder in (found.tools, found.store, tmp_path / "home"):
        folder.mkdir()
    for name, text in {"docker": DOCKER, "hilgate": HILGATE}.items():
        (found.tools / name).write_text(text)
        (found.tools / name).chmod(0o755)
    found.options = write_stubs(tmp_path / "stubs")
    fill(found.server)
    git(found.server, "init", "-q", "-b", "main")
    git(found.server, "config", "uploadpack.allowAnySHA1InWant", "true")
    yield found
    shutil.rmtree(tmp_path / "home", ignore_errors=True)


def fill(folder: Path) -> None:
    """What a repository has of ours, in the test's edition."""
    shutil.copytree(ROOT / ".github", folder / ".github", dirs_exist_ok=True)
    shutil.copytree(
        ROOT / "scripts", folder / "scripts", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    for path in (folder / ".github/workflows").glob("*.yml"):
        path.write_text(re.sub(r"(?m)^ +(cache-mode|deployment): .*\n", "", path.read_text()))
    (folder / "scripts/install_engine").write_text(INSTALL)
    (folder / "scripts/setup").write_text("#!/bin/bash\n")
    (folder / "Makefile").write_text("setup:\n\t@scripts/install_engine\ntest: setup\n\t@true\n")
    (folder / ".gitignore").write_text(".venv\nbuild\nartifacts/*/*\n!artifacts/report\n")

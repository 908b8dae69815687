"""The fuzzing campaign against the compiler's doors: damaged models may be compiled or refused in words, nothing else.

    scripts/fuzz_models.py --report                    100,000 cases on one commit; writes docs/fuzz.md
    scripts/fuzz_models.py --cases 2000 --seed 7       prints counts; exit code 1 when a case misbehaves
    scripts/fuzz_models.py --seed 1 --only 4711 OUT    writes one case's file

A campaign goes on where it stopped, as long as the code is the same. `make soak` runs all of it. Workers are processes
with 2 GB of address space and 10 s for a case.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from fuzz.corpus import case  # noqa: E402
from fuzz.report import markdown  # noqa: E402

CAMPAIGN_SEED, CAMPAIGN_CASES = 20261120, 100_000
REPORT = ROOT / "docs/fuzz.md"
CODE = ("src/hilgate/compile", "scripts/fuzz")  # what a campaign is about
GOOD = ("compiled", "refused")


def main() -> int:
    arguments = parse()
    if arguments.only is not None:
        made = case(arguments.seed, arguments.only)
        Path(arguments.out).write_bytes(made.content)
        print(f"{made.seed_name}, {made.damage}, {len(made.content)} bytes")
        return 0
    code = version()
    if arguments.report and not code.clean:
        print(f"a report is about one commit: commit what changed below {' and '.join(CODE)} first", file=sys.stderr)
        return 2
    default = ROOT / f"build/fuzz/{arguments.seed}-{code.tree}{'' if code.clean else '-changed'}.jsonl"
    log = default if arguments.log is None else Path(arguments.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    run(arguments.seed, arguments.cases, arguments.workers, log)
    results = [r for r in known(log).values() if r["number"] < arguments.cases]
    print(json.dumps(dict(Counter(r["outcome"] for r in results))))
    bad = [r for r in results if r["outcome"] not in GOOD]
    for result in bad[:50]:
        print(f"{result['outcome']} {result['number']} {result['seed']} {result['message']}")
    if arguments.report:
        if version() != code:
            print("the code changed meanwhile: nothing is written", file=sys.stderr)
            return 2
        REPORT.write_text(markdown(arguments.seed, results, code.commit, arguments.note), "utf-8")
    return int(bool(bad) or len(results) != arguments.cases)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", default="case")
    parser.add_argument("--cases", type=int, default=CAMPAIGN_CASES)
    parser.add_argument("--seed", type=int, default=CAMPAIGN_SEED)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int, help="write this case's file and stop")
    parser.add_argument("--log", help="where results are kept, so that a campaign goes on where it stopped")
    parser.add_argument("--report", action="store_true", help="write docs/fuzz.md")
    parser.add_argument(
        "--note", default="One run from the first case to the last.", help="a sentence for docs/fuzz.md"
    )
    return parser.parse_args()


@dataclass(frozen=True)
class Version:
    """commit: the last one below CODE; tree: the hash of what it holds; clean: nothing there differs from it."""

    commit: str
    tree: str
    clean: bool


def version() -> Version:
    """Which code runs here; outside a git checkout only that it is not known."""

    def git(*words: str) -> str:
        command = ["git", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    trees = "-".join(git("rev-parse", f"HEAD:{folder}")[:6] for folder in CODE)
    commit = git("log", "-1", "--format=%h", "--", *CODE)
    return Version(commit, trees, bool(commit) and not git("status", "--porcelain", "--", *CODE))


def known(log: Path) -> dict[int, dict[str, Any]]:
    """Results so far, by number."""
    if not log.is_file():
        return {}
    rows = (json.loads(line) for line in log.read_text().splitlines() if line.endswith("}"))
    return {row["number"]: row for row in rows}


def run(seed: int, cases: int, workers: int, log: Path) -> None:
    """Try what is not known yet, and keep each result at once."""
    done = known(log)
    todo = [number for number in range(cases) if number not in done]
    lock = threading.Lock()
    with log.open("a") as file:

        def keep(row: dict[str, Any]) -> None:
            with lock:
                file.write(json.dumps(row) + "\n")

        threads = [threading.Thread(target=work, args=(seed, todo[i::workers], keep)) for i in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def work(seed: int, numbers: list[int], keep: Any) -> None:
    """One worker after another until every number was tried: a case that ends its worker is a result too."""
    while numbers:
        last, tried = None, set()
        with subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT / "scripts",
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        ) as worker:
            threading.Thread(target=feed, args=(worker.stdin, numbers)).start()
            for line in worker.stdout or ():
                if line.startswith("{"):
                    row = json.loads(line)
                    tried.add(row["number"])
                    keep(row)
                else:
                    last = int(line)
        if worker.returncode and last is None:
            raise SystemExit("the worker cannot start")
        if last is not None and last not in tried:
            made = case(seed, last)
            row = {"number": last, "seed": made.seed_name, "damage": made.damage, "outcome": "died"}
            keep(row | {"message": f"exit code {worker.returncode}", "seconds": 0.0, "peak_mb": 0})
            tried.add(last)
        numbers = [number for number in numbers if number not in tried]


def feed(stdin: Any, numbers: list[int]) -> None:
    try:
        stdin.write("".join(f"{number}\n" for number in numbers))
        stdin.close()
    except BrokenPipeError:  # the worker died; the next one is fed what is left
        pass


if __name__ == "__main__":
    sys.exit(main())

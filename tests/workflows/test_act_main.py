"""main.yml run by act: base and history of a commit, pushed for real to the scratch server; and approve.yml."""

from __future__ import annotations

import json
import shutil

import pytest

pytestmark = [pytest.mark.arm, pytest.mark.soak]
CELL = "digits_nucleo_f446re"


@pytest.fixture
def main(actions, product):
    """The product on main. Its cells are those that were built once; everything else of hilgate is real."""
    skipped = shutil.ignore_patterns(".git")
    shutil.copytree(product.root, actions.server, symlinks=True, dirs_exist_ok=True, ignore=skipped)
    actions.git("config", "receive.denyCurrentBranch", "ignore")
    made = product.root / "artifacts"
    actions.instead(
        "export GITHUB_API_URL=$API GITHUB_ACTIONS=true GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@e GIT_COMMITTER_NAME=t\n"
        f'[ "$1 $2" != "ci cells" ] || {{ mkdir -p build/cells && cp -r "{made}" build/cells/; exit 0; }}\n'
        'GIT_COMMITTER_EMAIL=t@e exec "$PYTHON" -m hilgate.cli "$@"'
    )
    return actions.commit("main")


def push(sha: str) -> dict:
    return {"before": "0" * 40, "after": sha, "ref": "refs/heads/main", "repository": {"default_branch": "main"}}


def test_main_keeps_its_build_and_its_history_and_publishes_nothing(actions, main) -> None:
    run = actions.run("push", push(main), "main")
    assert run.code == 0, run.log
    assert run.jobs == {"base": "succeeded", "history": "succeeded"}, "no page of a repository that did not ask for it"
    kept = actions.store / f"hilgate-base-{main}"
    assert json.loads((kept / "claim.json").read_text())["cells"][CELL]["state"] == "built"
    lines = actions.git("grep", "--no-color", "-h", main, "hilgate-history", "--", "*.jsonl").splitlines()
    assert [json.loads(line)["cell"] for line in lines] == [CELL]
    assert (actions.store / "history-page/index.html").stat().st_size > 10_000


def test_a_comment_runs_the_verdict_again_and_others_do_nothing(actions, main, github) -> None:
    actions.api = github.url
    world = github.world
    for actor in world.tokens.values():
        actor.may |= {"actions: read", "actions: write"}
    head = world.pulls[7]["head_sha"]
    verdict = {"id": 60, "event": "workflow_run", "workflow": "verdict.yml", "display_title": f"verdict on {head}"}
    facts = {"head_branch": "main", "head_sha": main, "created_at": "2026-01-01T00:00:00Z"}
    world.runs.append({**verdict, **facts, "status": "completed", "head_repository": "acme/widget"})
    comment = {"issue": {"number": 7, "pull_request": {}}, "comment": {"body": "nice work"}}
    assert actions.run("issue_comment", comment, "approve").jobs == {}
    comment["comment"]["body"] = f"/hardware {head}"
    run = actions.run("issue_comment", comment, "approve")
    assert run.jobs == {"again": "succeeded"}, run.log
    assert world.runs[-1]["status"] == "queued" and "runs again" in run.log

"""The branch: appended to without a work tree, raced for, damaged, merged."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from hilgate.errors import UsageError
from hilgate.history import branch, git

PATH = "toy_board_a/2020-01.jsonl"


def keys(root, ref=branch.LOCAL):
    return sorted(key[0][-4:] for key in branch.read(root, ref).lines)


def test_append_begins_an_orphan_branch_and_leaves_the_work_tree_alone(repository, line, run_git):
    (repository / "edited.txt").write_text("mine")
    before = run_git(repository, "status", "--porcelain", "--branch"), run_git(repository, "rev-parse", "HEAD")
    assert branch.append(repository, [line(1), line(2, cell="other", task="toy")]) == 2
    assert (
        run_git(repository, "status", "--porcelain", "--branch"),
        run_git(repository, "rev-parse", "HEAD"),
    ) == before
    assert run_git(repository, "rev-list", "--count", branch.BRANCH) == "1"
    there = run_git(repository, "ls-tree", "-r", "--name-only", branch.BRANCH).split()
    assert there == [".gitattributes", "README.md", "other/2020-01.jsonl", PATH]
    assert keys(repository) == ["0001", "0002"]


def test_the_same_again_makes_no_commit(repository, line):
    branch.append(repository, [line(1)])
    before = git.tip(repository, branch.LOCAL)
    assert branch.append(repository, [line(1)]) == 0
    assert git.tip(repository, branch.LOCAL) == before


def test_another_measurement_of_one_key_replaces_the_first(repository, line):
    branch.append(repository, [line(1), line(2)])
    values = {**line(1).values, "flash_bytes": 7}
    assert branch.append(repository, [line(1, values=values)]) == 1
    lines = branch.read(repository, branch.LOCAL).lines
    assert len(lines) == 2
    assert lines[line(1).key].values["flash_bytes"] == 7


def test_testbeds_and_toolchains_have_lines_of_their_own(repository, line):
    own = {"testbed": "0123abcd", "source": "measured", "evidence": "measured"}
    assert branch.append(repository, [line(1), line(1, **own), line(1, toolchain="gcc 13")]) == 3
    assert len(branch.read(repository, branch.LOCAL).lines) == 3


def test_a_file_holds_a_month_in_order_whatever_came_first(repository, line, run_git):
    for number in (5, 1, 3):
        branch.append(repository, [line(number)])
    one = run_git(repository, "show", f"{branch.BRANCH}:{PATH}")
    assert [json.loads(text)["commit"][-1] for text in one.splitlines()] == ["1", "3", "5"]
    branch.append(repository, [line(30)])
    assert run_git(repository, "show", f"{branch.BRANCH}:{PATH}") == one


def test_damaged_lines_are_told_skipped_and_kept(repository, line, run_git):
    branch.append(repository, [line(1)])
    good = git.blobs(repository, [git.files(repository, branch.LOCAL)[PATH]])[0]
    bad = b'{"schema":"history","version":99}\n' + b"\x00\xff{\n" + line(40).text().encode() + b"\n" + good
    commit = git.commit_files(repository, git.tip(repository, branch.LOCAL), {PATH: bad, "x/y": b"?"}, "damage")
    run_git(repository, "update-ref", branch.LOCAL, commit)
    content = branch.read(repository, branch.LOCAL)
    assert keys(repository) == ["0001"]
    assert [damage.where for damage in content.damaged] == [f"{PATH}:{number}" for number in (1, 2, 3)]
    assert content.damaged[2].what == "a line of another file"
    branch.append(repository, [line(2)])
    assert keys(repository) == ["0001", "0002"]
    assert len(branch.read(repository, branch.LOCAL).damaged) == 3


def test_a_checked_out_history_is_refused(repository, line, run_git):
    branch.append(repository, [line(1)])
    run_git(repository, "checkout", "-q", branch.BRANCH)
    with pytest.raises(UsageError, match="is checked out here"):
        branch.append(repository, [line(2)])


def test_hooks_do_not_run(repository, line):
    for name in ("pre-push", "reference-transaction", "post-index-change"):
        hook = repository / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    assert branch.append(repository, [line(1)]) == 1


def test_a_push_brings_what_others_pushed(clones, line):
    one, two = clones
    assert branch.push(one, [line(1)], "origin") == 1
    assert branch.push(two, [line(2)], "origin") == 1
    assert keys(two) == ["0001", "0002"]
    assert branch.push(one, [], "origin") == 0
    assert keys(one) == ["0001", "0002"]


def test_lines_that_were_never_pushed_go_along(clones, line):
    one, two = clones
    branch.append(one, [line(1)])
    branch.push(two, [line(2)], "origin")
    branch.push(one, [line(3)], "origin")
    branch.push(two, [], "origin")
    assert keys(two) == ["0001", "0002", "0003"]


def test_a_lost_race_is_run_again(clones, line, monkeypatch):
    """Somebody pushes between our look at the remote and our push: the first push is refused."""
    one, two = clones
    branch.push(two, [line(1)], "origin")
    real, raced = branch.fetch, []

    def fetch_and_lose(root, remote):
        answer = real(root, remote)
        if not raced:
            raced.append(True)
            monkeypatch.setattr(branch, "fetch", real)
            branch.push(two, [line(2)], "origin")
        return answer

    pauses = []
    monkeypatch.setattr(branch, "fetch", fetch_and_lose)
    assert branch.push(one, [line(3)], "origin", pauses.append) == 1
    assert len(pauses) == 1
    assert keys(one) == ["0001", "0002", "0003"]


def test_both_clones_push_at_once_and_nothing_is_lost(clones, line):
    def push_all(root, numbers):
        for number in numbers:
            branch.push(root, [line(number)], "origin", lambda seconds: None)

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(push_all, clones[side], range(side, 8, 2)) for side in (0, 1)]
        for job in jobs:
            job.result()
    branch.push(clones[0], [], "origin")
    assert len(keys(clones[0])) == 8


def test_two_diverged_branches_merge_as_text(clones, line, run_git):
    """For people who merge by hand: git's union of two appends is a history again."""
    one, two = clones
    branch.push(one, [line(1)], "origin")
    branch.push(two, [], "origin")
    branch.append(one, [line(2)])
    branch.append(two, [line(3)])
    run_git(one, "fetch", "-q", str(two), f"+{branch.LOCAL}:refs/heads/theirs")
    run_git(one, "checkout", "-q", branch.BRANCH)
    run_git(one, "merge", "-q", "--no-edit", "theirs")
    assert keys(one) == ["0001", "0002", "0003"]
    assert branch.read(one, branch.LOCAL).damaged == ()


@pytest.mark.parametrize(
    ("remote", "message"), [("nowhere", "ls-remote refused"), ("--upload-pack=x", "no name of a remote")]
)
def test_a_remote_that_is_not_there_is_an_error(repository, line, remote, message):
    with pytest.raises(UsageError, match=message):
        branch.push(repository, [line(1)], remote)


def test_a_remote_that_refuses_is_told_after_one_attempt(clones, line):
    remote = clones[0].parent / "remote.git"
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    pauses = []
    with pytest.raises(UsageError, match="does not take the branch hilgate-history"):
        branch.push(clones[0], [line(1)], "origin", pauses.append)
    assert pauses == []


def test_a_clone_reads_the_remotes_branch(clones, line, run_git):
    one, two = clones
    branch.push(one, [line(1)], "origin")
    assert branch.newest_ref(two) is None
    run_git(two, "fetch", "-q")
    assert branch.newest_ref(two) == "refs/remotes/origin/hilgate-history"
    assert keys(two, branch.newest_ref(two)) == ["0001"]
    branch.append(two, [line(2)])
    assert keys(two) == ["0001", "0002"]


def test_a_remote_that_has_everything_is_newer_than_the_local_branch(clones, line, run_git):
    one, two = clones
    branch.push(one, [line(1)], "origin")
    branch.push(two, [line(2)], "origin")
    run_git(one, "fetch", "-q")
    assert branch.newest_ref(one) == "refs/remotes/origin/hilgate-history"
    branch.append(one, [line(3)])  # on its own old tip: now neither has everything
    assert branch.newest_ref(one) == branch.LOCAL


def test_projects_of_one_repository_keep_apart(repository, line, run_git):
    for name in ("kws", "a b/vision"):
        (repository / name).mkdir(parents=True)
        assert branch.append(repository / name, [line(1, subject=name)]) == 1
        assert branch.append(repository / name, [line(1, subject=name)]) == 0
    assert branch.append(repository, [line(2)]) == 1
    there = run_git(repository, "ls-tree", "-r", "-z", "--name-only", branch.BRANCH).split("\0")
    assert {f"kws/{PATH}", f"a b/vision/{PATH}", PATH} <= set(there)
    assert [one.subject for one in branch.read(repository / "kws", branch.LOCAL).lines.values()] == ["kws"]
    assert keys(repository) == ["0002"]
    assert keys(repository / "a b/vision") == ["0001"]

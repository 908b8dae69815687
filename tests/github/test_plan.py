"""Which boards a change is measured on: by orders, heartbeats, approvals; told to the job matrix and context.json."""

from __future__ import annotations

import json

import pytest

from hilgate.artifacts import read_json, write_json
from hilgate.ci.benches import hardware
from hilgate.hashing import sha256_of

HEAD = "a" * 40
STRANGER = {"author": "stranger", "head_repository": "stranger/widget"}


@pytest.fixture
def planned(github, judged, make_event):
    """Plans orders for these boards; gives the plan and context.json after it."""
    for actor in github.world.tokens.values():
        actor.may |= {"actions: read"}

    def plan(*boards, **event):
        folder = judged("pass")
        for board in boards:
            place = folder / "orders" / f"cell_{board}"
            (place / "head").mkdir(parents=True, exist_ok=True)
            (place / "head/firmware.elf").write_bytes(board.encode())
            sides = {"head": sha256_of(place / "head/firmware.elf")}
            numbers = {"warmup": 1, "runs": 5, "pairs": 16, "vectors": 24}
            write_json(place / "order.json", "order", {"cell": place.name, "board": board, "sides": sides, **numbers})
        found = hardware.plan(github.client(), make_event(**event), folder)
        return found, read_json(folder / "context.json", "context")

    return plan


def beat(github, board, ago_s=60):
    at = github.world.clock.text(ago_s)
    content = json.dumps({"schema": "heartbeat", "version": 1, "board": board, "at": at})
    github.world.files[("hilgate-bench", f"heartbeat/{board}.json")] = content.encode()


def test_nothing_to_measure_asks_nobody(planned):
    plan, context = planned()
    assert plan.as_outputs() == {"boards": "[]", "approval": "none", "guarded": "false"}
    assert context["hardware"] == [] and context["missing"] == []


def test_no_bench_is_said_once_with_the_command_that_begins_one(planned):
    plan, context = planned("nucleo_f446re")
    assert plan.boards == ()
    (row,) = context["hardware"]
    assert row["state"] == "absent" and "`hilgate ci heartbeat nucleo_f446re --beat`" in row["reason"]
    assert context["missing"] == []


def test_an_offline_bench_is_known_at_once(planned, github):
    beat(github, "nucleo_f446re", ago_s=16 * 60)
    plan, context = planned("nucleo_f446re")
    assert plan.as_outputs()["boards"] == "[]"
    assert context["hardware"][0]["state"] == "offline" and "16 min ago" in context["hardware"][0]["reason"]


def test_a_change_from_this_repository_goes_to_every_board_that_is_there(planned, github):
    beat(github, "nucleo_f446re")
    beat(github, "nucleo_l4r5zi")
    plan, context = planned("nucleo_f446re", "nucleo_l4r5zi", "stm32h747i_disco")
    assert json.loads(plan.as_outputs()["boards"]) == ["nucleo_f446re", "nucleo_l4r5zi"]
    assert plan.approval.state == "none"
    assert [row["state"] for row in context["hardware"]] == ["waiting", "waiting", "absent"]
    assert "should it have gone off" in context["hardware"][0]["reason"], "else the check would wait a day in silence"


@pytest.mark.parametrize(("environment", "guarded"), [(None, False), ({"reviewers": []}, False), ("maria", True)])
def test_a_fork_waits_and_an_environment_without_reviewers_guards_nothing(planned, github, environment, guarded):
    beat(github, "nucleo_f446re")
    github.world.pulls[7] |= STRANGER
    if environment is not None:
        reviewers = ["maria"] if environment == "maria" else []
        github.world.environments["hilgate-hardware"] = {"reviewers": reviewers}
    plan, context = planned("nucleo_f446re", head_repository="stranger/widget")
    assert (plan.approval.state, plan.guarded) == ("needed", guarded)
    assert f"/hardware {HEAD}" in context["hardware"][0]["reason"] and context["hardware"][0]["state"] == "waiting"
    assert context["approval"] == {"state": "needed", "by": "", "sha": HEAD}


@pytest.mark.parametrize(("who", "state"), [("wim", "given"), ("rita", "needed"), ("stranger", "needed")])
def test_a_comment_of_somebody_with_write_access_lets_this_very_commit_in(planned, github, who, state):
    from fake_github.routes import add_comment

    beat(github, "nucleo_f446re")
    github.world.pulls[7] |= STRANGER
    add_comment(github.world, 7, who, f"/hardware {HEAD}")
    plan, context = planned("nucleo_f446re", head_repository="stranger/widget")
    assert plan.approval.state == context["approval"]["state"] == state


def test_a_fork_that_no_bench_could_measure_asks_for_no_approval(planned, github):
    github.world.pulls[7] |= STRANGER
    _, context = planned("nucleo_f446re", head_repository="stranger/widget")
    assert context["approval"]["state"] == "none"


def test_dependabot_waits_though_its_branch_lies_here(planned, github):
    beat(github, "nucleo_f446re")
    github.world.pulls[7] |= {"author": "dependabot[bot]"}
    assert planned("nucleo_f446re")[0].approval.state == "needed"


def test_a_merge_queue_needs_no_approval(planned, github):
    beat(github, "nucleo_f446re")
    plan, _ = planned("nucleo_f446re", kind="merge_group")
    assert plan.approval.state == "none" and plan.boards == ("nucleo_f446re",)


def test_nightly_asks_for_every_board_that_can_be_flashed(github, root):
    beat(github, "stm32h747i_disco")
    states = {one.board: one.state for one in hardware.online(github.client(), root)}
    files = root.glob("firmware/boards/[!T]*/board.toml")
    flashed = {path.parent.name for path in files if "\n[probe]" in path.read_text("utf-8")}
    assert "nucleo_f446re" in flashed
    assert states == {**dict.fromkeys(flashed, "absent"), "stm32h747i_disco": "online"}

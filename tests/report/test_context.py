"""What context.json adds: every missing thing once, boards grouped, nothing told twice, foreign words as text."""

from __future__ import annotations

from hilgate.report.assemble import assemble
from hilgate.report.context import setup
from hilgate.report.markdown import render
from hilgate.report.marker import MARKER, read_state
from hilgate.report.page import whole


def test_a_local_run_has_nothing_around_it():
    assert setup(None) == setup(None, frozenset({"x"}))
    assert not any((setup(None).missing, setup(None).hardware, setup(None).approval))


def test_each_missing_thing_stands_once_with_its_command(verdicts, contexts):
    text = render(verdicts["first_run_ever"], "toy", context=contexts["first_run_ever"])
    for thing in contexts["first_run_ever"]["missing"]:
        assert text.count(f"- {thing['what']}: `{thing['command']}`") == 1
    assert "<details open><summary>5 things are not set up yet</summary>" in text
    assert "`board_a`: not measured, there is no bench for it" in text


def test_boards_of_one_state_and_reason_share_a_sentence(toys):
    boards = [{"board": f"board_{at}", "state": "waiting", "reason": ""} for at in range(3)]
    boards += [{"board": "other", "state": "offline", "reason": "no heartbeat"}]
    around = setup(toys.context(hardware=[*boards, {"board": "done", "state": "measured", "reason": ""}]))
    assert around.hardware == (
        "`board_0`, `board_1`, `board_2`: waits for hardware",
        "`other`: not measured, its bench is offline; no heartbeat",
    )


def test_a_comment_in_which_nothing_changed_is_two_lines_and_a_fold(verdicts, toys):
    measured = [{"board": "board_a", "state": "measured", "reason": ""}]
    text = render(verdicts["only_docs_changed"], "toy", context=toys.context(hardware=measured))
    lines = [line for line in text.partition("<details>")[0].splitlines() if line]
    assert len(lines) == 2 + 2  # two of them hidden
    assert text.count("<details>") == 1 and text.rstrip().endswith("</details>")


def test_a_board_whose_cell_tells_it_is_not_told_again(verdicts, contexts):
    around = assemble(verdicts["waiting_for_approval"], "toy", (), contexts["waiting_for_approval"]).setup
    assert around.hardware == ()
    assert "comments `/hardware " + contexts["waiting_for_approval"]["head_sha"] in around.approval


def test_claims_that_were_not_confirmed_are_loud(verdicts, toys):
    claim = {"cell": "toy_board_a", "what": "accuracy", "claimed": "99.9 %", "recomputed": "98.00 %"}
    text = render(verdicts["only_docs_changed"], "toy", context=toys.context(claims=[claim]))
    assert "not confirmed: `toy_board_a` accuracy: claimed 99.9 %, recomputed 98.00 %" in text


def test_an_error_of_the_pull_requests_own_jobs_is_a_block_of_code(verdicts, contexts):
    text = render(verdicts["cell_missing"], "toy", context=contexts["cell_missing"])
    assert "    firmware/src/model.c:12: error: expected ';'\n    ```\n    @everyone <script>\n" in text


def test_what_is_not_the_authors_fault_says_so(toys):
    for by_author, expected in ((True, "was refused"), (False, "was refused; the harness, not this change, is why")):
        cell = {"cell": "toy_board_a", "state": "refused", "error": "", "by_author": by_author}
        assert setup(toys.context(cells=[cell])).failures[0].base == expected


def test_the_run_is_linked_where_its_address_is_plain(verdicts, toys):
    for url, linked in (("https://github.com/a/b/actions/runs/1", True), ("https://x/a](b)", False), ("", False)):
        context = toys.context(run_url=url)
        assert (f"[The run]({url})" in render(verdicts["all_pass"], "toy", context=context)) == linked
        page = whole(assemble(verdicts["all_pass"], "toy", (), context))
        assert (f'href="{url}"' in page) == linked


def test_the_state_says_which_head_a_comment_is_for(verdicts, contexts):
    text = render(verdicts["one_regress"], "toy", context=contexts["one_regress"])
    assert text.startswith(MARKER + "\n")
    state = read_state(text)
    assert state["head_sha"] == contexts["one_regress"]["head_sha"]
    assert (state["outcome"], state["schema"], state["version"]) == ("fail", "comment", 1)
    assert read_state(text.replace("\n", "\r\n")) == state


def test_a_state_that_nobody_wrote_like_that_is_none(verdicts, toys):
    text = render(verdicts["all_pass"], "toy", context={**toys.context(), "head_sha": "--><b>"})
    assert read_state(text)["head_sha"] == ""
    for comment in (
        "",
        MARKER,
        f"{MARKER}\n<!-- hilgate:state [1] -->",
        f"{MARKER}\n<!-- hilgate:state {{] -->",
        "x\n" + text,
    ):
        assert read_state(comment) is None

"""The bad input that hilgate must survive: where each kind is tested, and the exit code that it ends with.

Each gives one clear line (what, where, what to do), loses nothing, and the board still answers afterwards. What damages
a single frame is no end of a session: the device answers with a status, named here, and the session goes on.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hilgate import errors
from hilgate.gate.verdict import Outcome
from hilgate.link.protocol import Status

ROOT = Path(__file__).resolve().parents[2]

# bad input | file below tests/ | test | exit code | what names it: error, outcome, status of the device, or a call
TABLE = """
half a download | data/test_fetch.py
    test_half_a_download_resumes_in_the_next_run | 4 | DataError
half a download, killed | data/test_processes.py
    test_a_process_that_is_killed_leaves_what_the_next_one_goes_on_from |  | fetch
wrong hash | data/test_fetch.py
    test_a_wrong_hash_is_refused_and_not_cached | 4 | DataError
no network and no cache | data/test_fetch.py
    test_no_network_and_no_cache | 4 | DataError
idx file with wrong magic | data/test_idx.py
    test_what_is_no_idx_file_is_refused | 4 | DataError
unknown key in params.yaml | data/test_data.py
    test_an_unknown_key | 3 | ParamsError
budget missing | gate/test_rules.py
    test_a_budget_that_is_not_set_is_inconclusive | 11 | inconclusive
ONNX with an unsupported op | compile/refusals/test_graph.py
    test_unsupported_operator | 5 | refuse
ONNX with a float graph | compile/refusals/test_graph.py
    test_float_graph | 5 | refuse
ONNX with a dynamic shape | compile/refusals/test_graph.py
    test_dynamic_shape | 5 | refuse
model too big for flash | build/test_refusals.py
    test_weights_too_big_for_flash | 7 | DoesNotFitError
model too big for RAM | build/test_refusals.py
    test_too_big_for_ram | 7 | DoesNotFitError
no arm-gcc | build/test_refusals.py
    test_no_toolchain | 8 | ToolMissingError
serial port: does not exist | link/test_ports.py
    test_a_port_that_does_not_exist | 21 | PortMissingError
serial port: busy | link/test_ports.py
    test_a_port_that_is_busy | 22 | PortBusyError
serial port: silent | link/test_ports.py
    test_a_silent_port | 23 | SilentError
serial port: answers rubbish | link/test_ports.py
    test_a_port_that_answers_rubbish | 24 | GarbageError
serial port: disappears | link/test_ports.py
    test_a_board_that_is_unplugged_half_way | 25 | LostError
two sessions on one port | link/test_ports.py
    test_two_sessions_on_one_tcp_port | 22 | PortBusyError
stale image on the board | run/test_refusals.py
    test_an_image_that_is_not_the_one_under_test | 26 | 26
frame with bad CRC | link/test_bad_frames.py
    test_bad_crc |  | BAD_CRC
frame with bad length | link/test_bad_frames.py
    test_bad_length |  | BAD_LENGTH
frame with unknown opcode | link/test_bad_frames.py
    test_unknown_opcode |  | UNKNOWN_OPCODE
frame out of sequence | link/test_bad_frames.py
    test_a_sequence_number_out_of_order |  | BAD_SEQUENCE
10,000 random bytes | link/test_bad_frames.py
    test_ten_thousand_random_bytes |  | send_raw
all kinds, virtual board, QEMU | link/test_targets.py
    test_each_kind_of_bad_frame |  | urls
"""
CELLS = [cell.strip() for cell in TABLE.strip().replace("\n    ", " | ").replace("\n", " | ").split("|")]
ROWS = [tuple(CELLS[first : first + 5]) for first in range(0, len(CELLS), 5)]


@pytest.mark.parametrize(("what", "file", "name", "code", "named"), ROWS, ids=[row[0] for row in ROWS])
def test_each_kind_of_bad_input_has_its_test(what: str, file: str, name: str, code: str, named: str) -> None:
    """The test is there, names that error, and the error has that exit code."""
    text = (ROOT / "tests" / file).read_text("utf-8")
    found = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name]
    assert len(found) == 1, f"{what}: {file} has no {name}"
    assert named in (ast.get_source_segment(text, found[0]) or ""), f"{name} says nothing of {named}"
    if hasattr(errors, named):
        assert getattr(errors, named).exit_code == int(code)
    elif named.isupper():
        assert named in Status.__members__
    elif code == "11":
        assert Outcome(named).exit_code == 11


def test_a_refused_model_is_a_model_error() -> None:
    """`maker.refuse` of tests/compile is where those rows say which error it must be."""
    assert "pytest.raises(ModelError" in (ROOT / "tests/compile/refusals/conftest.py").read_text("utf-8")
    assert errors.ModelError.exit_code == 5 and errors.StaleImageError.exit_code == 26

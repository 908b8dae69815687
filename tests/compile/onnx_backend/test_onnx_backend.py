"""The ONNX standard's own cases for single operators: what applies passes, what does not is counted with its reason.

README.md beside this file is the table. A changed count is looked at, then `table(...)` is written there again.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from hilgate.compile.arithmetic import quantize
from hilgate.compile.reference import run_reference

TABLE = Path(__file__).with_name("README.md")
ONNX_VERSION = "1.23.2"  # whose cases the table counts
LEAST_APPLICABLE = 155
BEYOND_INT8 = ("test_softmax_large_number",)  # 0 to 10,003 in 255 steps: differences of 1 vanish before the softmax
QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")


def table(cases) -> str:
    """The counts as Markdown."""
    passed = Counter(case.kind for case in cases if case.graph is not None)
    refused = Counter(
        ("" if case.reason in ("operator", "a function spelled out in other operators") else case.kind, case.reason)
        for case in cases
        if case.graph is None
    )
    lines = [
        f"# The node cases of onnx.backend.test {ONNX_VERSION}",
        "",
        f"{len(cases)} cases; {sum(passed.values())} apply and pass, each between QuantizeLinear and DequantizeLinear.",
        "",
        "| operator | pass |",
        "|---|---:|",
        *(f"| {kind} | {count} |" for kind, count in sorted(passed.items())),
        "",
        "| operator | does not apply because | cases |",
        "|---|---|---:|",
        *(f"| {kind or 'others'} | {reason} | {count} |" for (kind, reason), count in sorted(refused.items())),
    ]
    return "\n".join(lines).replace("| others | operator |", "| others | hilgate does not have the operator |") + "\n"


def device_inputs(case) -> dict[str, np.ndarray]:
    """The case's inputs as the compiled graph takes them, (1, *shape)."""
    result = {}
    for name, real in zip(case.graph.inputs, case.inputs.values(), strict=True):
        tensor = case.graph.tensors[name]
        if tensor.dtype == "float32" or case.kind in QUANTIZERS:
            stored = real.astype(np.int16) - 128 if real.dtype == np.uint8 else real
            result[name] = stored.astype(tensor.dtype)[None]
        else:
            steps = quantize(real, tensor.quant.only_scale, tensor.quant.zero_point)
            order = case.graph.source_axes.get(name)
            result[name] = (steps if order is None else steps.transpose(order))[None]
    return result


def as_stored(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """ONNX's order or channels last, whichever has the compiled output's shape."""
    if array.shape != shape and array.ndim >= 3:
        array = np.moveaxis(array, 1, -1)
    return array.reshape(shape)


def test_the_table_says_what_is(backend_cases) -> None:
    assert sum(case.graph is not None for case in backend_cases) >= LEAST_APPLICABLE
    if onnx.__version__ == ONNX_VERSION:
        assert TABLE.read_text() == table(backend_cases)


def test_every_case_that_applies_passes(backend_cases) -> None:
    """Within one step of onnx's own reference on the same quantized model."""
    failed = []
    for case in (case for case in backend_cases if case.graph is not None):
        found = run_reference(case.graph, device_inputs(case))
        for ours, name, wanted in zip(found, case.graph.outputs, expected(case), strict=True):
            tensor = case.graph.tensors[name]
            difference = np.abs(ours[0].astype(float) - as_stored(wanted, tensor.shape).astype(float)).max()
            if difference > (1 if tensor.dtype == "int8" and case.kind not in QUANTIZERS else 0):
                failed.append(f"{case.name}: {difference}")
    assert not failed


def expected(case) -> list[np.ndarray]:
    """int8 steps of the wrapped model by onnx.reference; an index or a quantizer's result as the suite has it."""
    if case.kind in QUANTIZERS:
        return [a.astype(np.int16) - 128 if a.dtype == np.uint8 else a for a in case.expected]
    if case.kind == "ArgMax":
        return [a + case.graph.tensors[case.graph.outputs[0]].quant.zero_point for a in case.expected]
    real = ReferenceEvaluator(case.model).run(None, case.inputs)
    quants = [case.graph.tensors[name].quant for name in case.graph.outputs]
    return [np.rint(a / np.float32(q.only_scale)).astype(int) + q.zero_point for a, q in zip(real, quants, strict=True)]


def test_the_wrapped_cases_still_say_what_the_suite_says(backend_cases) -> None:
    """Quantizing moved no expected value by more than 4 % of its range: the wrapping did not change the case."""
    for case in (c for c in backend_cases if c.graph is not None and c.kind not in (*QUANTIZERS, "ArgMax")):
        if case.name in BEYOND_INT8:
            continue
        for found, wanted in zip(ReferenceEvaluator(case.model).run(None, case.inputs), case.expected, strict=True):
            span = float(wanted.max() - wanted.min()) or 1.0
            assert np.abs(found - wanted).max() <= 0.04 * span + 1e-6, case.name


def test_one_case_of_each_operator_is_equal_in_c(backend_cases, make_bundle) -> None:
    first = {case.kind: case for case in backend_cases if case.graph is not None and case.graph.nodes}
    cases = [case for case in first.values() if any(not node.op.view for node in case.graph.nodes)]
    bundle = make_bundle([case.graph for case in cases])
    for index, case in enumerate(cases):
        inputs = device_inputs(case)
        for one, other in zip(bundle.host(index, inputs), run_reference(case.graph, inputs), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=case.name)

"""The ONNX standard's own cases for single operators: what applies passes, what does not is counted with its reason.

docs/onnx_backend.md is the table, case by case; scripts/onnx_backend.py writes it. A case that no longer applies shows
there by its name.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from hilgate.compile.arithmetic import quantize
from hilgate.compile.reference import run_reference

ONNX_VERSION = "1.23.2"  # whose cases the table counts
LEAST_APPLICABLE = 221
BEYOND_INT8 = (
    "test_softmax_large_number",  # 0 to 10,003 in 255 steps: differences of 1 vanish before the softmax
    "test_thresholdedrelu_example",  # 2.0 is the threshold where the function jumps, and in steps it is 2.0016
)
NEWEST_OF_ORT = 23
QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")


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


def test_the_page_says_what_is(backend_cases, root: Path) -> None:
    page = runpy.run_path(str(root / "scripts/onnx_backend.py"))["page"](backend_cases)
    committed = (root / "docs/onnx_backend.md").read_text("utf-8")
    assert sum(case.graph is not None for case in backend_cases) >= LEAST_APPLICABLE
    if onnx.__version__ == ONNX_VERSION:
        written = committed.split("## Operators")[0].split()
        now = {case.name for case in backend_cases if case.graph is not None}
        assert {word for word in written if word.startswith("test_")} == now
        assert committed == page, "run scripts/onnx_backend.py and look at what changed"


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


def test_every_case_that_applies_is_within_one_step_of_onnxruntime(backend_cases) -> None:
    """The same with ONNX Runtime, graph optimizations off."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    failed = []
    for case in (c for c in backend_cases if c.graph is not None and c.kind not in (*QUANTIZERS, "ArgMax")):
        session = ort.InferenceSession(portable(case), options, providers=["CPUExecutionProvider"])
        real = session.run(None, {name: array.astype(np.float32) for name, array in case.inputs.items()})
        found = run_reference(case.graph, device_inputs(case))
        for ours, wanted, name in zip(found, real, case.graph.outputs, strict=True):
            tensor = case.graph.tensors[name]
            theirs = np.rint(wanted / np.float32(tensor.quant.only_scale)) + tensor.quant.zero_point
            difference = np.abs(ours[0].astype(float) - as_stored(theirs, tensor.shape)).max()
            if difference > 1:
                failed.append(f"{case.name}: {difference}")
    assert not failed


def portable(case) -> bytes:
    """The wrapped model under an opset that ONNX Runtime has released; nothing that is used here changed since."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for entry in model.opset_import:
        entry.version = 13 if case.name.endswith("_opset13") else min(entry.version, NEWEST_OF_ORT)
    model.ir_version = min(model.ir_version, 10)
    return bytes(model.SerializeToString())


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

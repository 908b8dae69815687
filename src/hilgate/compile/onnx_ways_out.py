"""What to do about an ONNX operator that has no kernel: for those that people do export, a way that works today."""

from __future__ import annotations

from hilgate.compile.ops import onnx_operators

STATIC_QDQ = "quantize statically in QDQ format: QuantizeLinear and DequantizeLinear around float operators"
FOLDED_NORM = "train with batch norm instead: it is folded into the layer before it, or costs one multiplication"
NO_STATE = "use 1-D convolutions over a window of time instead: a network here keeps no state between runs"
STRAIGHT = "export a network whose steps do not depend on the data"
PLAIN_ACTIVATION = "use an activation that is one operator, such as ReLU, LeakyReLU or hard swish"

WAYS_OUT = {
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"), STATIC_QDQ),
    "DynamicQuantizeLinear": STATIC_QDQ,
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "GroupNormalization"), FOLDED_NORM),
    **dict.fromkeys(("RMSNormalization", "LpNormalization", "ReduceL2"), FOLDED_NORM),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), NO_STATE),
    **dict.fromkeys(("If", "Loop", "Scan"), STRAIGHT),
    **dict.fromkeys(("Where", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"), PLAIN_ACTIVATION),
    "LogSoftmax": "end the exported model before it, or with Softmax: the order of the outputs stays the same",
    "Dropout": "export the network in evaluation mode (torch: network.eval())",
    "TopK": "use ArgMax, or end the model before it and sort in the application",
}


def way_out(kind: str) -> str:
    """The hint of a refusal: something special to do, else what is supported."""
    return WAYS_OUT.get(kind) or f"supported: {', '.join(sorted(onnx_operators()))}"

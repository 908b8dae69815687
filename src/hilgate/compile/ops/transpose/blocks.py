"""DepthToSpace and SpaceToDepth (torch's PixelShuffle and its inverse): channels become pixels by one transposition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilgate.compile.ops.reshape.op import Reshape

if TYPE_CHECKING:
    from hilgate.compile.onnx_node import OnnxNode


def blocks_from_onnx(node: OnnxNode) -> None:
    """(1, H, W, C) cut into blocks, turned and joined; what the order of channels means is ONNX's `mode`."""
    from hilgate.compile.ops.transpose.op import Transpose

    side = int(node.attribute("blocksize", 0))
    if len(node.shape(0)) != 4 or node.shape(0)[0] != 1:
        raise node.refuse(f"an input of shape {node.shape(0)} is not supported", "supported: (1, C, H, W)")
    x = node.channels_last_2d(0)
    _, height, width, channels = x.shape
    inwards = node.kind == "SpaceToDepth"
    cut = (height, width) if inwards else (channels,)
    if side < 1 or any(size % (side if inwards else side * side) for size in cut):
        raise node.refuse(f"blocksize {side} does not fit shape {node.shape(0)}")
    depth, order = channels // (side * side), (0, 2, 1, 3, 4)
    if inwards:
        blocks = (height // side, side, width // side, side, channels)
        result = (1, height // side, width // side, side * side * channels)
    else:
        node.must_be("mode", "DCR", "CRD")
        blocks, result = (height, width, side, side, depth), (1, height * side, width * side, depth)
        if node.attribute("mode", "DCR") == "CRD":
            blocks, order = (height, width, depth, side, side), (0, 3, 1, 4, 2)
    turned = node.inner(Transpose(order), [node.inner(Reshape(blocks), [x])])
    node.emit(Reshape(result), [turned])
    node.mark_channels_last()

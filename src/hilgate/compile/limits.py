"""How large a layer may be. Beyond it no microcontroller runs the model, and proving it here would take all memory.

Files are hostile: a stride of 2^31 or a padding of a million costs a few bytes to write.
"""

from __future__ import annotations

from math import prod

from hilgate.compile.graph import ITEM_BYTES, Site, Tensor
from hilgate.compile.ops.window import Window
from hilgate.errors import ModelError

RANK_MAX = 8
TENSOR_BYTES_MAX = 2**31 - 1
ACTIVATION_BYTES_MAX = 2 << 20  # twice the RAM of the largest board; checks and proofs take many times a tensor
SPREAD_MAX = 32 << 20  # elements of a padded or spread image, which only the reference builds
PRODUCTS_MAX = 1 << 31  # in one layer: seconds on the fastest microcontroller


def check_tensor_size(tensor: Tensor) -> None:
    """Raises ModelError when a tensor overflows 32 bits, or no board's RAM could hold it."""
    where = f"tensor `{tensor.name}`"
    if len(tensor.shape) > RANK_MAX:
        raise ModelError(f"{len(tensor.shape)} dimensions are more than {RANK_MAX}", where=where)
    size = prod(tensor.shape) * ITEM_BYTES.get(tensor.dtype, 8)
    if size > TENSOR_BYTES_MAX:
        raise ModelError(f"shape {tensor.shape} needs more than 32 bits to address", where=where)
    if not tensor.constant and size > ACTIVATION_BYTES_MAX:
        hint = f"no board has more than {ACTIVATION_BYTES_MAX >> 20} MB"
        raise ModelError(f"shape {tensor.shape} needs {size / 2**20:.1f} MB of RAM", where=where, hint=hint)


def check_layer_size(site: Site) -> None:
    """The same for a layer: its window's reach and its products."""
    window = getattr(site.node.op, "window", None)
    products = site.node.op.macs(site)
    if isinstance(window, Window):
        products = max(products, site.output.elements * window.kernel[0] * window.kernel[1])
        _check_window(site, window)
    if products > PRODUCTS_MAX:
        raise site.refuse(f"{products} products in one layer are more than {PRODUCTS_MAX}", "use a smaller model")


def _check_window(site: Site, window: Window) -> None:
    x = site.inputs[0].shape
    sides = [x[1 + i] * window.stride[i] + window.reach(i) + window.pad[i] + window.pad[i + 2] for i in (0, 1)]
    if prod(sides) * max(x[3], site.output.shape[3]) > SPREAD_MAX:
        facts = f"kernel {window.kernel}, stride {window.stride}, dilation {window.dilation} and padding {window.pad}"
        raise site.refuse(f"{facts} are too large for shape {x}", "the file is damaged, or the model far too large")

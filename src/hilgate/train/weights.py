"""Weights as safetensors: no code in the file, and equal weights are equal bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def weights_bytes(network: torch.nn.Module) -> bytes:
    """The state dict with sorted names; buffers such as running means included."""
    from safetensors.torch import save

    state = network.state_dict()
    return bytes(save({name: state[name].detach().cpu().contiguous() for name in sorted(state)}))

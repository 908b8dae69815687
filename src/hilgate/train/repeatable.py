"""The same seed, the same machine, the same weights.

Another CPU may round otherwise (AVX-512, AVX2, another number of threads), so trained weights are kept in git.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hilgate.task import TrainParams


@contextmanager
def repeatable(settings: TrainParams) -> Iterator[None]:
    """Seed torch, forbid algorithms that are not deterministic, fix the number of threads; put back what was before."""
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(settings.threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)

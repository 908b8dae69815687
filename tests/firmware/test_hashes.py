"""SHA-256 and CRC-32 of the firmware against Python's, at every length around their block size."""

from __future__ import annotations

import ctypes
import hashlib
import random
import subprocess
import zlib

import pytest


@pytest.fixture(scope="module")
def library(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("hashes") / "hashes.so"
    sources = [str(root / "firmware/src" / name) for name in ("sha256.c", "crc32.c")]
    subprocess.run(["gcc", "-std=c11", "-O1", "-fPIC", "-shared", *sources, "-o", str(out)], check=True)
    return ctypes.CDLL(str(out))


def sha256(library, pieces: list[bytes]) -> bytes:
    context, digest = ctypes.create_string_buffer(256), ctypes.create_string_buffer(32)
    library.sha256_start(context)
    for piece in pieces:
        library.sha256_update(context, piece, len(piece))
    library.sha256_finish(context, digest)
    return digest.raw


def test_sha256_of_every_length(library):
    data = random.Random(2).randbytes(300)
    for length in range(300):
        assert sha256(library, [data[:length]]) == hashlib.sha256(data[:length]).digest(), length


def test_sha256_in_pieces(library):
    data = random.Random(3).randbytes(1000)
    rng = random.Random(4)
    for _ in range(50):
        cuts = sorted(rng.sample(range(1000), 6))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]
        assert sha256(library, pieces) == hashlib.sha256(data).digest()


def test_crc32_continues(library):
    library.crc32_update.restype = ctypes.c_uint32
    data = random.Random(5).randbytes(500)
    for cut in range(0, 500, 7):
        crc = library.crc32_update(0, data[:cut], cut)
        assert library.crc32_update(crc, data[cut:], 500 - cut) == zlib.crc32(data)

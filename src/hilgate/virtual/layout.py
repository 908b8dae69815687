"""The structures of hook.c, as ctypes sees them. `sizes` are compared with the compiled ones when it is loaded."""

from __future__ import annotations

import ctypes

SPANS_MAX, CACHE_LINES_MAX, PAGE_WORDS = 520, 512, 1024
U8, U16, U32, U64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64
I32, POINTER = ctypes.c_int32, ctypes.c_void_p
READ_TYPE = ctypes.CFUNCTYPE(U64, U64, U32)
WRITE_TYPE = ctypes.CFUNCTYPE(None, U64, U32, U64)


class Block(ctypes.Structure):
    """block_t of hook.c."""

    _fields_ = [
        *((name, U32) for name in ("address", "size", "instructions", "cycles", "refill")),
        ("carry", I32),
        *((name, U32) for name in ("prefix", "span", "spans", "unmasks", "predicated", "words", "sum")),
        ("code", POINTER), ("entered", U64), ("spent", U64),
    ]  # fmt: skip


class Machine(ctypes.Structure):
    """machine_t of hook.c."""

    _fields_ = [
        ("cycles", U64), ("instructions", U64), ("deadline", U64),
        *((name, U32) for name in ("reason", "reason_address", "reason_size", "pc")),
        ("last", I32), ("last_end", U32), ("last_entry", U64), ("capacity_mask", U32), ("fpu_enabled", U32),
        ("exact", U32), ("pending", U32), ("unmasked", U32), ("poisoned", U32),
        ("ticks_start", U64), ("ticks_reload", U32), ("ticks_divider", U32), ("fed_at", U64),
        *((name, U32) for name in ("flash_begin", "flash_end", "line_shift", "wait_states", "prefetch", "icache")),
        *((name, U32) for name in ("dcache", "ilines", "dlines", "line_now", "line_cycles", "data_line")),
        ("clock", U64), ("fetch_stalls", U64), ("data_stalls", U64),
        *((name, U32 * CACHE_LINES_MAX) for name in ("itag", "dtag")),
        *((name, U64 * CACHE_LINES_MAX) for name in ("iused", "dused")), ("stalls", U32 * SPANS_MAX),
        *((name, POINTER) for name in ("blocks", "spans", "prefixes", "islot", "stop", "reg_read", "reg_write")),
    ]  # fmt: skip


class PageState(ctypes.Structure):
    """page_t of hook.c."""

    _fields_ = [
        ("machine", POINTER), ("read", READ_TYPE), ("write", WRITE_TYPE), ("base", U32), ("feed", U32),
        ("value", U32 * PAGE_WORDS), ("kind", U8 * PAGE_WORDS), ("noted", U8 * PAGE_WORDS),
    ]  # fmt: skip


class Watch(ctypes.Structure):
    """watch_t of hook.c."""

    _fields_ = [("machine", POINTER), ("base_register", I32), ("reason", U32), ("predicated", U32)]


SIZES = tuple(ctypes.sizeof(kind) for kind in (Machine, Block, PageState, Watch))

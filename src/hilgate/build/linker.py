"""The linker script of one board, from its memories and layout.

Flash: vector table, image header, kernels, runtime, the load image of .data; the weights at their own address. RAM from
its start: the stack, which grows down out of RAM, so that an overflow faults instead of corrupting; then the arena,
whose address no edit of the runtime moves; then .bss, what a reset keeps, .data, and buffers where DMA reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.catalogue import Board, Memory
from hilgate.errors import ParamsError
from hilgate.params import build

IMAGE_MAGIC = 0x31494748  # "HGI1"
HEADER_BYTES = 40  # magic, length, 32 bytes of hash
HASH_OFFSET = 8
SECOND_CORE_BYTES = 0x400
STATICS_BYTES = 16384  # what .bss, .data and .noinit are given beside the arena before it moves to another memory


@dataclass(frozen=True)
class Layout:
    """board.toml's [layout]: absolute addresses, bytes. second_core_address: where another core boots, else 0."""

    image_address: int
    weights_address: int
    stack_bytes: int
    second_core_address: int = 0


def layout_of(board: Board) -> Layout:
    """Raises ParamsError when the layout is missing or leaves the flash."""
    where = str(board.folder / "board.toml")
    layout = build(Layout, board.tables.get("layout"), f"{where}: layout")
    flash = board.memory("flash")
    if not flash.origin <= layout.image_address < layout.weights_address < flash.end:
        raise ParamsError("[layout] must put the image and then the weights inside flash", where=where)
    starts = [flash.origin + sum(flash.sectors[:index]) for index in range(len(flash.sectors))]
    if starts and layout.weights_address not in starts:
        raise ParamsError("weights_address must be where a flash sector starts", where=where)
    if layout.second_core_address and not any(
        m.kind == "flash" and m.origin <= layout.second_core_address <= m.end - SECOND_CORE_BYTES
        for m in board.memories
        if m is not flash
    ):
        raise ParamsError("second_core_address must lie in another flash than the image", where=where)
    if layout.stack_bytes % 8 or layout.weights_address % 16:
        raise ParamsError("stack_bytes must be a multiple of 8, weights_address of 16", where=where)
    return layout


def region(board: Board, kind: str, *needs: str) -> Memory:
    """The first memory of that kind that can do all of `needs`. Raises ParamsError."""
    for memory in board.memories:
        if memory.kind == kind and set(needs) <= set(memory.can):
            return memory
    raise ParamsError(
        f"no {kind} can {' and '.join(needs)}", where=str(board.folder / "board.toml"), hint="see [[memory]] can"
    )


def arena_region(board: Board, arena_bytes: int) -> Memory:
    """The first RAM if stack, arena and variables fit there, else the next that has room and holds no DMA buffers."""
    first, buffers = region(board, "ram", "read", "write"), region(board, "ram", "read", "write", "dma")
    if layout_of(board).stack_bytes + arena_bytes + STATICS_BYTES <= first.bytes:
        return first
    others = (m for m in board.memories if m.kind == "ram" and {"read", "write"} <= set(m.can))
    return next((m for m in others if m not in (first, buffers) and arena_bytes <= m.bytes), first)


def render(board: Board, arena_bytes: int = 0) -> str:
    """The text of linker.ld for a model with an arena of this size."""
    layout = layout_of(board)
    flash = region(board, "flash", "read", "execute")
    ram = region(board, "ram", "read", "write")
    dma = region(board, "ram", "read", "write", "dma")
    arena = arena_region(board, arena_bytes)
    regions = {ram.name: ram, dma.name: dma, arena.name: arena}
    second = layout.second_core_address
    return TEMPLATE.format(
        board=board.name,
        image_address=layout.image_address,
        image_bytes=layout.weights_address - layout.image_address,
        weights_address=layout.weights_address,
        weights_bytes=flash.end - layout.weights_address,
        ram_regions="\n".join(
            f"  {m.name} (rw) : ORIGIN = {m.origin:#x}, LENGTH = {m.bytes:#x}" for m in regions.values()
        ),
        ram=ram.name,
        dma=dma.name,
        arena=arena.name,
        arena_segment="ram" if arena is ram else "arena",
        arena_header="" if arena is ram else "  arena PT_LOAD FLAGS(6);\n",
        second_core_memory=SECOND_MEMORY.format(address=second, bytes=SECOND_CORE_BYTES) if second else "",
        second_core_header="  second_core PT_LOAD FLAGS(5);\n" if second else "",
        second_core_section=SECOND_SECTION if second else "",
        stack_bytes=layout.stack_bytes,
        magic=IMAGE_MAGIC,
    )


SECOND_MEMORY = "  second_core (rx) : ORIGIN = {address:#x}, LENGTH = {bytes:#x}\n"
SECOND_SECTION = """
  .second_core : {
    KEEP(*(.second_core.vectors))
    KEEP(*(.second_core.text))
  } > second_core :second_core
"""
TEMPLATE = """/* Generated from boards/{board}/board.toml. */
ENTRY(reset_handler)

MEMORY {{
  image (rx) : ORIGIN = {image_address:#x}, LENGTH = {image_bytes:#x}
  weights (r) : ORIGIN = {weights_address:#x}, LENGTH = {weights_bytes:#x}
{second_core_memory}{ram_regions}
}}

/* .stack and .noinit are in no segment: a loader that clears what it loads would clear what a reset must keep. */
PHDRS {{
  image PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);
  ram PT_LOAD FLAGS(6);
  buffers PT_LOAD FLAGS(6);
  weights PT_LOAD FLAGS(4);
{second_core_header}{arena_header}}}

SECTIONS {{
  .vectors : {{
    image_start = .;
    KEEP(*(.vectors))
    . = ALIGN(16);
    image_header_start = .;
    LONG({magic:#x})
    LONG(image_end - image_start)
    QUAD(0) QUAD(0) QUAD(0) QUAD(0)
    . = ALIGN(16);
  }} > image :image

  .kernels : {{
    *libmodel.a:*(SORT_BY_NAME(.text*))
    *libmodel.a:*(SORT_BY_NAME(.rodata*))
    . = ALIGN(16);
  }} > image :image

  .text : {{
    *(SORT_BY_NAME(.text*))
    *(SORT_BY_NAME(.rodata*))
    . = ALIGN(4);
  }} > image :image

  .stack (NOLOAD) : {{
    ram_start = .;
    stack_bottom = .;
    . += {stack_bytes};
    stack_top = .;
  }} > {ram} :NONE

  .arena (NOLOAD) : ALIGN(16) {{ *(.arena) }} > {arena} AT> {arena} :{arena_segment}

  .bss (NOLOAD) : ALIGN(4) {{
    bss_start = .;
    *(SORT_BY_NAME(.bss*))
    *(COMMON)
    . = ALIGN(4);
    bss_end = .;
  }} > {ram} AT> {ram} :ram

  .noinit (NOLOAD) : ALIGN(8) {{
    *(SORT_BY_NAME(.noinit*))
    . = ALIGN(4);
  }} > {ram} :NONE

  .data : ALIGN(4) {{
    data_start = .;
    *(SORT_BY_NAME(.data*))
    . = ALIGN(4);
    data_end = .;
  }} > {ram} AT> image :data
  data_load = LOADADDR(.data);
  image_end = LOADADDR(.data) + SIZEOF(.data);

  .dma_buffers (NOLOAD) : ALIGN(4) {{ *(.dma_buffers) }} > {dma} AT> {dma} :buffers
  static_bytes = SIZEOF(.bss) + SIZEOF(.noinit) + SIZEOF(.data) + SIZEOF(.dma_buffers);
  ram_end = ORIGIN({ram}) + LENGTH({ram});

  .weights : {{ KEEP(*(.weights)) }} > weights :weights
{second_core_section}
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.comment) }}
}}
"""

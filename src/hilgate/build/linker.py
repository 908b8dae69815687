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


@dataclass(frozen=True)
class Layout:
    """board.toml's [layout]: absolute addresses, bytes."""

    image_address: int
    weights_address: int
    stack_bytes: int


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


def render(board: Board) -> str:
    """The text of linker.ld."""
    layout = layout_of(board)
    flash = region(board, "flash", "read", "execute")
    ram = region(board, "ram", "read", "write")
    dma = region(board, "ram", "read", "write", "dma")
    regions = {ram.name: ram, dma.name: dma}
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
        stack_bytes=layout.stack_bytes,
        magic=IMAGE_MAGIC,
    )


TEMPLATE = """/* Generated from boards/{board}/board.toml. */
ENTRY(reset_handler)

MEMORY {{
  image (rx) : ORIGIN = {image_address:#x}, LENGTH = {image_bytes:#x}
  weights (r) : ORIGIN = {weights_address:#x}, LENGTH = {weights_bytes:#x}
{ram_regions}
}}

/* .stack and .noinit are in no segment: a loader that clears what it loads would clear what a reset must keep. */
PHDRS {{
  image PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);
  ram PT_LOAD FLAGS(6);
  buffers PT_LOAD FLAGS(6);
  weights PT_LOAD FLAGS(4);
}}

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

  .arena (NOLOAD) : ALIGN(16) {{ *(.arena) }} > {ram} AT> {ram} :ram

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

  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.comment) }}
}}
"""

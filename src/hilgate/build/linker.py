"""The linker script of one board, from its memories and layout.

Flash: vector table, image header, kernels, runtime, the load image of .data; the weights at their own address. RAM from
its start: the stack, which grows down out of RAM, so that an overflow faults instead of corrupting; then the arena,
whose address no edit of the runtime moves; then .bss, what a reset keeps, .data, and buffers where DMA reaches.
What placement.py moves to RAM lies behind what a reset keeps (code) and behind the buffers (weights).
"""

from __future__ import annotations

from hilgate.build.layout import SECOND_CORE_BYTES, layout_of, region
from hilgate.build.placement import Placement, place
from hilgate.catalogue import Board

IMAGE_MAGIC = 0x31494748  # "HGI1"
HEADER_BYTES = 40  # magic, length, 32 bytes of hash


def render(board: Board, placed: Placement | None = None) -> str:
    """The text of linker.ld for a model that is placed so; without `placed`, for one that fits the first RAM."""
    layout = layout_of(board)
    flash = region(board, "flash", "read", "execute")
    ram = region(board, "ram", "read", "write")
    dma = region(board, "ram", "read", "write", "dma")
    placed = placed or place(board)
    arena = placed.arena
    used = (ram, dma, arena, placed.hot_code, placed.hot_weights)
    regions = {memory.name: memory for memory in used if memory is not None}
    second = layout.second_core_address
    return TEMPLATE.format(
        board=board.name,
        board_id=board.board_id,
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
        **_hot_pieces(placed),
        second_core_memory=SECOND_MEMORY.format(address=second, bytes=SECOND_CORE_BYTES) if second else "",
        second_core_header="  second_core PT_LOAD FLAGS(5);\n" if second else "",
        second_core_section=SECOND_SECTION if second else NO_SECOND_SECTION,
        stack_bytes=layout.stack_bytes,
        magic=IMAGE_MAGIC,
    )


def _hot_pieces(placed: Placement) -> dict[str, str]:
    """The parts of the template that differ when code or weights move to RAM."""
    code, weights = placed.hot_code, placed.hot_weights
    rows = [COPIED_CODE] if code else []
    rows += [COPIED_WEIGHTS] if weights else []
    return {
        "kernels_in_flash": "" if code else KERNELS.format(align="", place="image :image"),
        "kernels_in_ram": KERNELS.format(align="ALIGN(16) ", place=f"{code.name} AT> image :hot_code") if code else "",
        "not_kernels": "EXCLUDE_FILE(*libmodel.a:*) " if code else "",
        "copies": COPIES.format(rows="".join(rows)) if rows else "",
        "text_align": "16" if code else "4",
        "hot_header": "  hot_code PT_LOAD FLAGS(5);\n" if code else "",
        "hot_weights": HOT_WEIGHTS.format(memory=weights.name) if weights else "",
        "hot_bytes": (" + SIZEOF(.kernels)" if code else "") + (" + SIZEOF(.hot_weights)" if weights else ""),
    }


KERNELS = """
  .kernels : {align}{{
    *libmodel.a:*(SORT_BY_NAME(.text*))
    *libmodel.a:*(SORT_BY_NAME(.rodata*))
    . = ALIGN(16);
  }} > {place}
"""
COPIES = """
    . = ALIGN(4);
    placements_start = .;{rows}
    placements_end = .;"""
COPIED_CODE = """
    LONG(ADDR(.kernels)) LONG(LOADADDR(.kernels)) LONG(SIZEOF(.kernels))"""
COPIED_WEIGHTS = """
    LONG(ADDR(.hot_weights)) LONG(ADDR(.weights)) LONG(SIZEOF(.weights))"""
HOT_WEIGHTS = """
  .hot_weights (NOLOAD) : ALIGN(16) {{
    hot_weights = .;
    . += SIZEOF(.weights);
    . = ALIGN(16);
  }} > {memory} :NONE
"""
SECOND_MEMORY = "  second_core (rx) : ORIGIN = {address:#x}, LENGTH = {bytes:#x}\n"
SECOND_SECTION = """
  .second_core : {
    second_core_start = .;
    KEEP(*(.second_core.vectors))
    KEEP(*(.second_core.text))
    second_core_end = .;
  } > second_core :second_core
"""
NO_SECOND_SECTION = """
  second_core_start = 0;
  second_core_end = 0;
"""
TEMPLATE = """/* Generated from boards/{board}/board.toml. */
ENTRY(reset_handler)

MEMORY {{
  image (rx) : ORIGIN = {image_address:#x}, LENGTH = {image_bytes:#x}
  weights (r) : ORIGIN = {weights_address:#x}, LENGTH = {weights_bytes:#x}
{second_core_memory}{ram_regions}
}}

board_id = {board_id}; /* read from the ELF by `hilgate flash`: no byte of the image */

/* .stack and .noinit are in no segment: a loader that clears what it loads would clear what a reset must keep. */
PHDRS {{
  image PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);
  ram PT_LOAD FLAGS(6);
  buffers PT_LOAD FLAGS(6);
  weights PT_LOAD FLAGS(4);
{second_core_header}{arena_header}{hot_header}}}

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
{kernels_in_flash}
  .text : {{
    *(SORT_BY_NAME({not_kernels}.text*))
    *(SORT_BY_NAME({not_kernels}.rodata*)){copies}
    . = ALIGN({text_align});
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

{kernels_in_ram}  .data : ALIGN(4) {{
    data_start = .;
    *(SORT_BY_NAME(.data*))
    . = ALIGN(4);
    data_end = .;
  }} > {ram} AT> image :data
  data_load = LOADADDR(.data);
  image_end = LOADADDR(.data) + SIZEOF(.data);

  .dma_buffers (NOLOAD) : ALIGN(4) {{ *(.dma_buffers) }} > {dma} AT> {dma} :buffers
  static_bytes = SIZEOF(.bss) + SIZEOF(.noinit) + SIZEOF(.data) + SIZEOF(.dma_buffers){hot_bytes};
  ram_end = ORIGIN({ram}) + LENGTH({ram});

  .weights : {{ KEEP(*(.weights)) }} > weights :weights
{hot_weights}{second_core_section}
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.comment) }}
}}
"""

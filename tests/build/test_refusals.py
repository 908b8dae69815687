"""What cannot be built: one clear error each, with what, where and what to do."""

from __future__ import annotations

import shutil

import pytest

from hilgate import params
from hilgate.build import board_header, linker
from hilgate.build.build import build_image, execute
from hilgate.build.layout import check_memories
from hilgate.build.vectors import load_vectors
from hilgate.catalogue import load_board
from hilgate.errors import ArtifactError, BuildError, DoesNotFitError, ParamsError, ToolMissingError
from hilgate.tools import has_pinned_compiler


@pytest.mark.arm
def test_too_big_for_ram(build, model_with):
    folder = model_with(("MODEL_ARENA_BYTES 16u", "MODEL_ARENA_BYTES 200000u"), file="model.h")
    with pytest.raises(
        DoesNotFitError, match=r"sram needs 2\d\d,\d{3} bytes, the board has 131,072 for it: \d+,\d{3} too many"
    ) as error:
        build(folder)
    assert error.value.where == "nucleo_f446re" and error.value.exit_code == 7


@pytest.mark.arm
def test_weights_too_big_for_flash(build, model_with):
    folder = model_with(("model_weights[] = {", "model_weights[400000] = {"), file="weights.c")
    with pytest.raises(
        DoesNotFitError, match=r"weights needs 400,000 bytes, the board has 393,216 for it: 6,784 too many"
    ):
        build(folder)


@pytest.mark.arm
def test_code_too_big_for_its_place(build, model_with):
    folder = model_with(
        (
            "static uint32_t word_at",
            "extern const uint8_t bulk[];\nconst uint8_t bulk[130000] = {1};\n\nstatic uint32_t word_at",
        ),
        ("    if (bytes != MODEL_WEIGHTS_BYTES", "    if (bulk[bytes] != 0 || bytes != MODEL_WEIGHTS_BYTES"),
    )
    with pytest.raises(DoesNotFitError, match=r"image needs 13[89],\d{3} bytes, the board has 131,072 for it") as error:
        build(folder)
    assert "layout.weights_address" in error.value.hint


@pytest.mark.arm
def test_a_stack_deeper_than_reserved(build, board_with, model):
    small = board_with(("stack_bytes = 4096", "stack_bytes = 512"))
    with pytest.raises(
        DoesNotFitError, match=r"the worst stack is 6\d\d bytes, layout.stack_bytes reserves 512"
    ) as error:
        build(model, small)
    assert "model_profile" in error.value.hint


@pytest.mark.arm
def test_the_compiler_complains(build, model_with, tmp_path):
    folder = model_with(("int32_t sum = 0;", "int32_t sum = nonsense;"))
    with pytest.raises(BuildError, match=r"model.c:\d+:\d+: error: 'nonsense' undeclared") as error:
        build(folder)
    assert "build.log" in error.value.hint and "nonsense" in (tmp_path / "out/build.log").read_text()


@pytest.mark.arm
@pytest.mark.skipif(not has_pinned_compiler(), reason="another compiler may have new opinions")
def test_a_warning_of_the_pinned_compiler_is_an_error(build, model_with):
    folder = model_with(("int32_t sum = 0;", "int8_t sum = 0;"))
    with pytest.raises(BuildError, match="conversion"):
        build(folder)


@pytest.mark.parametrize("program", ["arm-none-eabi-gcc", "cmake", "ninja"])
def test_no_toolchain(build, model, monkeypatch, program):
    found = shutil.which
    monkeypatch.setattr(
        "shutil.which", lambda name, *rest: None if name == program else (found(name, *rest) or "/bin/true")
    )
    with pytest.raises(ToolMissingError, match="not installed") as error:
        build(model)
    assert error.value.where == program and "sudo apt-get install" in error.value.hint and error.value.exit_code == 8


@pytest.mark.arm
def test_a_warning_of_another_compiler_is_none(build, model_with, monkeypatch):
    monkeypatch.setattr("hilgate.build.cmake.has_pinned_compiler", lambda: False)
    assert build(model_with(("int32_t sum = 0;", "int8_t sum = 0;"))).sizes["flash"]["weights_bytes"] == 176


@pytest.mark.parametrize("name", ["a;b", "a$b", "a[b]", 'a"b', "a\\b", "a|b"])
def test_a_path_that_cmake_cannot_take(board, model, root, tmp_path, name):
    with pytest.raises(BuildError, match="CMake cannot take a path with") as error:
        build_image(board, model, tmp_path / name, firmware=root / "firmware")
    assert name in error.value.where and "move the project" in error.value.hint


def test_unknown_optimisation(root, board, model, tmp_path):
    with pytest.raises(ParamsError, match="O9"):
        build_image(board, model, tmp_path, firmware=root / "firmware", optimize="O9")


def test_nothing_compiled_yet(root, tmp_path):
    with pytest.raises(ArtifactError, match="missing") as error:
        execute("digits_nucleo_f446re", params.load_params(root), _project(root, tmp_path))
    assert "hilgate compile digits" in error.value.hint


def _project(root, tmp_path):
    (tmp_path / "firmware").symlink_to(root / "firmware")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("hz = 180_000_000", "hz = 168_000_000", "its pll makes 180000000"),
        ('source = "hse_bypass_pll"', 'source = "crystal"', "source `crystal` is not known"),
        ("hz = 180_000_000", 'hz = "fast"', "hz is 'fast', not a number"),
        ("hse_hz = 8_000_000", 'hse_hz = "8 MHz"', "hse_hz is '8 MHz', not a number"),
        ("pll = { m = 4, n = 180, p = 2, q = 8 }", "pll = { m = 4, n = 180, p = 2 }", "`q` is missing"),
        ("pll = { m = 4, n = 180, p = 2, q = 8 }", "pll = { m = 0, n = 180, p = 2, q = 8 }", "out of range"),
        ("pll = { m = 4, n = 180, p = 2, q = 8 }", "pll = { m = 2, n = 90, p = 2, q = 8 }", "4000000 Hz into the VCO"),
        ("apb1_divider = 4", "apb1_divider = 3", "apb1_divider is 3"),
        ("flash_wait_states = 5", "flash_wait_states = 99", "flash_wait_states is 99"),
        ("flash_wait_states = 5", "flash_wait_states = 4", "180000000 Hz needs 5"),
        ("over_drive = true", "over_drive = false", "180000000 Hz needs over-drive"),
        ("apb1_divider = 4", "apb1_divider = 2", "apb1_divider 2 makes 90000000 Hz"),
        ("apb2_divider = 2", "apb2_divider = 1", "apb2_divider 1 makes 180000000 Hz"),
        ("fallback_pll = { m = 8, n = 180", "fallback_pll = { m = 8, n = 200", "200000000 Hz is too fast"),
        ("uid_address = 0x1FFF_7A10", "uid_address = -4", "uid_address is -4"),
        ("hse_hz = 8_000_000", "# hse_hz", r"\[clock\] has no `hse_hz`"),
        ('tx = "PA2"', 'tx = "PA9"', "PA9 is not USART2's"),
        ("alternate_function = 7", "alternate_function = 8", "is not USART2's"),
        ('receive = "dma"', 'receive = "polling"', "`polling` is not known"),
        ("timeout_ms = 2000", "timeout_ms = 9000", "timeout_ms"),
        ('kind = "dwt"', 'kind = "sundial"', "sundial"),
        ('uart = "USART2"', 'uart = "UART9"', "UART9"),
    ],
)
def test_facts_that_contradict_the_mcu(board_with, old, new, word):
    with pytest.raises(ParamsError, match=word) as error:
        board_header.render(board_with((old, new)))
    assert "board.toml" in error.value.where


@pytest.mark.parametrize(
    ("name", "key", "value", "word"),
    [
        ("qemu_stm32f405", "over_drive", True, "STM32F405RG has no over-drive"),
        ("qemu_stm32f405", "flash_wait_states", 4, "168000000 Hz needs 5"),
        ("stm32h747i_disco", "pll", {"m": 5, "n": 167, "p": 2, "q": 4}, "417500000 Hz is too fast"),
        ("stm32h747i_disco", "ahb_divider", 1, "400000000 Hz of the AHBs"),
        ("stm32h747i_disco", "apb1_divider", 1, "apb1_divider 1 makes 200000000 Hz"),
    ],
)
def test_clocks_that_the_mcu_cannot_have(root, name, key, value, word):
    board = load_board(name, root)
    board.tables["clock"][key] = value
    if key == "pll":
        board.tables["clock"]["hz"] = 417_500_000
    with pytest.raises(ParamsError, match=word):
        board_header.render(board)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("weights_address = 0x0802_0000", "weights_address = 0x0900_0000", "inside flash"),
        ("weights_address = 0x0802_0000", "weights_address = 0x0802_0010", "where a flash sector starts"),
        ("image_address = 0x0800_0000", "image_address = 0x0800_0100", "where a flash sector starts"),
        ("stack_bytes = 4096", "stack_bytes = 4097", "multiple"),
        ("stack_bytes = 4096", "stacks = 4096", "unknown key `stacks`"),
        ("stack_bytes = 4096", 'stack_bytes = "4 KB"', "must be int"),
        ('can = ["read", "execute", "dma"]', 'can = ["read", "dma"]', "no flash can read and execute"),
        ('can = ["read", "write", "execute", "dma"]', 'can = ["read", "write"]', "no ram can read and write and dma"),
    ],
)
def test_layouts_that_cannot_be(board_with, old, new, word):
    with pytest.raises(ParamsError, match=word):
        linker.render(board_with((old, new)))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('name = "nucleo_f446re"', 'name = "nucleo_f411re"', "folder"),
        ("bytes = 0x8_0000", "bytes = 0x7_0000", "sectors are 524288 bytes, not 458752"),
        ("origin = 0x2000_0000", "origin = 0x0807_0000", "`flash` and `sram` overlap"),
        ('kind = "ram"', 'kind = "rom"', "kind `rom`"),
        ('can = ["read", "write", "execute", "dma"]', 'can = ["read", "fly"]', "fly"),
        ('family = "stm32f4"', 'family = "../stm32f4"', "family may have letters"),
        ("schema = 1", "schema =", "not valid TOML"),
        ("board_id = 1", "", "board_id"),
    ],
)
def test_boards_that_contradict_themselves(board_with, old, new, word):
    with pytest.raises(ParamsError, match=word):
        board_with((old, new))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#define MODEL_ARENA_BYTES lots\n"])
def test_a_model_header_that_is_none(build, model_with, content):
    folder = model_with()
    (folder / "model.h").write_bytes(content)
    with pytest.raises(BuildError) as error:
        build(folder)
    assert "model.h" in error.value.where and "hilgate compile" in error.value.hint


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("bytes = 0x2_0000", "bytes = 0x2_0004", "`sram`: the STM32F446RE has nothing at 0x20020000"),
        ("origin = 0x2000_0000", "origin = 0x1FFF_FF00", "has nothing at 0x1fffff00"),
        ('mcu = "STM32F446RE"', 'mcu = "STM32F401RE"', "`sram`: the STM32F401RE has nothing at 0x20018000"),
        (
            'can = ["read", "execute", "dma"]',
            'can = ["read", "write", "execute"]',
            "`flash` of the STM32F446RE cannot write",
        ),
    ],
)
def test_memories_that_the_mcu_has_not(board_with, old, new, word):
    board = board_with((old, new))
    with pytest.raises(ParamsError, match=word):
        check_memories(board, load_vectors(board)["memories"])


def test_a_part_of_a_memory_is_enough(board_with):
    board = board_with(("bytes = 0x2_0000", "bytes = 0x1_0000"))
    check_memories(board, load_vectors(board)["memories"])


def test_dma_buffers_go_where_dma_reaches(board_with):
    """Tightly coupled memory first: the stack goes there, the ring into the memory that DMA reaches."""
    sram = "[[memory]]              # modm: SRAM1"
    tcm = '[[memory]]\nname = "tcm"\nkind = "ram"\norigin = 0x1000_0000\nbytes = 0x1_0000\ncan = ["read", "write"]\n\n'
    script = linker.render(board_with((sram, tcm + sram)))
    assert "stack_top = .;\n  } > tcm" in script
    assert "*(.dma_buffers) } > sram AT> sram" in script


def test_a_family_without_a_port(build, board_with, model):
    with pytest.raises(ParamsError, match="no port for this family") as error:
        build(model, board_with(('family = "stm32f4"', 'family = "stm32f9"')))
    assert "firmware/README.md" in error.value.hint


def test_an_mcu_without_vectors(build, board_with, model):
    with pytest.raises(ParamsError, match="no vectors of the STM32F999ZZ") as error:
        build(model, board_with(('mcu = "STM32F446RE"', 'mcu = "STM32F999ZZ"')))
    assert "extract_registers.py" in error.value.hint

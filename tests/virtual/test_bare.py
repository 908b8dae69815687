"""A bare core calls one function of an ELF."""

from __future__ import annotations

import struct
import subprocess

import pytest

from hilgate.errors import ParamsError, VirtualFault
from hilgate.virtual.bare import SCRATCH, BareMachine

pytestmark = pytest.mark.arm
CPUS = ("cortex_m4f", "cortex_m3", "cortex_m0")


@pytest.fixture
def bare(elf):
    def make(**options):
        return BareMachine(elf("elves/functions.c"), **options)

    return make


@pytest.mark.parametrize("native", [True, False])
def test_a_call_gives_result_and_cost(bare, native) -> None:
    machine = bare(native=native)
    machine.write(SCRATCH, bytes(range(100)))
    first = machine.call("sum_bytes", SCRATCH, 100)
    assert first.value == sum(range(100))
    assert first == machine.call("sum_bytes", SCRATCH, 100), "no state is left behind"
    half = machine.call("sum_bytes", SCRATCH, 50)
    # per byte: LDRB 2, ADD 1, CMP 1, BNE 1 + 2 and nothing else, in five or fewer instructions
    assert 3 * 50 <= first.instructions - half.instructions <= 5 * 50
    assert 5 * 50 <= first.cycles - half.cycles <= 8 * 50


def test_native_and_python_hooks_agree(bare) -> None:
    calls = [bare(native=native).call("sum_bytes", SCRATCH, 100) for native in (True, False)]
    assert calls[0] == calls[1]


def test_many_and_wide_arguments(bare) -> None:
    assert bare().call("six", 1, 2, 3, 4, 5, 6).value64 == 654321


def test_floats_work(bare) -> None:
    value = bare().call("half", struct.unpack("<I", struct.pack("<f", 3.0))[0]).value
    assert struct.unpack("<f", struct.pack("<I", value))[0] == 1.5


@pytest.mark.parametrize(
    ("function", "arguments", "what"),
    [
        ("crash", (), "read of unmapped memory, address 0x10000000"),
        ("unaligned", (SCRATCH + 2,), "unaligned"),
        ("for_ever", (), "still running after 10000 cycles"),
    ],
)
def test_what_goes_wrong_is_named(bare, function, arguments, what) -> None:
    with pytest.raises(VirtualFault) as caught:
        bare().call(function, *arguments, limit=10_000)
    assert what in caught.value.what and f"({function}+0x" in caught.value.where


def test_unknown_symbols_and_cpus(bare) -> None:
    with pytest.raises(VirtualFault, match="no symbol `nothing`"):
        bare().call("nothing")
    with pytest.raises(ParamsError, match="cortex_m99"):
        bare(cpu="cortex_m99")


@pytest.mark.parametrize("cpu", CPUS)
def test_every_core_is_the_one_named(bare, cpu) -> None:
    machine = bare(cpu=cpu)
    core = machine.core
    assert core.uc.ctl_get_cpu_model() == getattr(core.registers, core.cpu.unicorn)
    if cpu == "cortex_m4f":
        assert machine.call("dual", 0x0002_0003, 0x0004_0005).value == 23
    else:
        with pytest.raises(VirtualFault, match="`smuad r0, r0, r1` is no instruction of the"):
            machine.call("dual", 1, 1)


def test_a_cortex_m0_has_few_wide_instructions_and_no_unaligned_words(elf, tmp_path) -> None:
    source, image = tmp_path / "m0.c", tmp_path / "m0.elf"
    source.write_text("int load(int *p) { return *p; } int main(void) { return load((int *)0x30000000); }")
    flags = "-mcpu=cortex-m0 -mthumb -O1 -fno-inline -nostdlib -e main -Ttext=0x8000".split()
    subprocess.run(["arm-none-eabi-gcc", *flags, str(source), "-o", str(image)], check=True)
    machine = BareMachine(image, cpu="cortex_m0")
    machine.write(SCRATCH, (7).to_bytes(4, "little"))
    assert machine.call("main").value == 7
    with pytest.raises(VirtualFault, match="unaligned"):
        machine.call("load", SCRATCH + 1)
    with pytest.raises(VirtualFault, match="is no instruction of the cortex_m0"):
        BareMachine(elf("elves/functions.c"), cpu="cortex_m0").call("half", 1)

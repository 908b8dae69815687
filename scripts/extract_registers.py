#!/usr/bin/env python3
"""Extract the register facts of an STM32 family from vendor data into firmware/port/<family>/.

    pip download --no-deps --no-binary :all: cmsis-svd==0.4 && pip download --no-deps modm-devices==0.13.1
    scripts/extract_registers.py --svd cmsis-svd-0.4.tar.gz --modm modm_devices-0.13.1-py3-none-any.whl
    scripts/extract_registers.py --family stm32h7 --svd STM32H747_CM7.svd --modm modm_devices-0.13.1-py3-none-any.whl
    scripts/extract_registers.py --family stm32l4 --svd STM32L4R5.svd STM32L4P5.svd --modm modm_devices-0.13.1-....whl

Where the SVDs are: of the STM32L4+, scripts/registers/families/stm32l4.toml; of the STM32H7,
github.com/modm-io/cmsis-svd-stm32, stm32h7/STM32H747_CM7.svd at c97f752f.

Writes `registers.toml` (peripheral bases, offsets, reset values, bit fields of what the firmware touches) and one
`vectors_<mcu>.toml` per MCU (interrupts, memories, DMA routes and pins of the USARTs). Sources are checked by
SHA-256. With --witness stm32f446xx.h core_cm4.h the result is compared with ST's and Arm's own headers.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from registers import family, h7, modm, svd, witness

SVD_SHA256 = "b5f439fc6bbc43c9b56dd822f1f764359d503c685a42f913a1cfc2a3c6c42b2c"
PORTS = Path(__file__).resolve().parents[1] / "firmware/port"
# STM32F4: MCU -> its SVD in cmsis-svd, its file in modm-devices. The others are told by how they differ from the first.
MCUS = {
    "stm32f446re": ("STM32F446x", "stm32f4-46.xml"),
    "stm32f405rg": ("STM32F40x", "stm32f4-05_07_15_17.xml"),
    "stm32f401re": ("STM32F401xE", "stm32f4-01_11.xml"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=EXTRACT, default="stm32f4")
    parser.add_argument("--svd", type=Path, nargs="+", required=True, help="cmsis-svd-0.4.tar.gz, or the SVD files")
    parser.add_argument("--modm", type=Path, required=True, help="modm_devices-0.13.1-py3-none-any.whl")
    parser.add_argument("--witness", type=Path, nargs="*", default=[], help="C headers to compare with")
    parser.add_argument("--out", type=Path, help="by default firmware/port/<family>")
    arguments = parser.parse_args()
    hashes, extract = EXTRACT[arguments.family]
    if len(arguments.svd) != len(hashes):
        parser.error(f"{arguments.family} needs {len(hashes)} files after --svd, in the order above")
    for path, expected in zip((*arguments.svd, arguments.modm), (*hashes, modm.MODM_SHA256), strict=True):
        if not path.is_file():
            parser.error(f"{path}: there is no such file; the lines above download it")
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            print(f"{path}: not the pinned file (SHA-256 differs)", file=sys.stderr)
            return 1
    out = arguments.out or PORTS / arguments.family
    extract(arguments.svd, arguments.modm, out)
    if not arguments.witness:
        return 0
    count, wrong = witness.compare(out / "registers.toml", arguments.witness)
    print(f"{count} facts stand in the headers too, {len(wrong)} of them differ")
    print("\n".join(wrong))
    return 1 if wrong else 0


def extract_f4(svds: list[Path], wheel: Path, out: Path) -> None:
    (_, first), *others = {mcu: svd.peripherals(svds[0], names[0]) for mcu, names in MCUS.items()}.items()
    (out / "registers.toml").write_text(svd.registers_toml(first, dict(others)), "utf-8")
    for mcu, (_, file) in MCUS.items():
        text = modm.vectors_toml(modm.device(wheel, file), mcu, file)
        (out / f"vectors_{mcu}.toml").write_text(text, "utf-8")


def extract_h7(svds: list[Path], wheel: Path, out: Path) -> None:
    (out / "registers.toml").write_text(h7.registers_toml(h7.peripherals(svds[0])), "utf-8")
    text = modm.vectors_toml(modm.device(wheel, h7.MODM_FILE), h7.MCU, h7.MODM_FILE, core="m7")
    (out / f"vectors_{h7.MCU}.toml").write_text(h7.ahb_memories(text), "utf-8")


def extract_l4(svds: list[Path], wheel: Path, out: Path) -> None:
    facts = family.load("stm32l4")
    contents = {name: path.read_bytes() for name, path in zip(L4_SVDS, svds, strict=True)}
    (out / "registers.toml").write_text(family.registers_toml(facts, contents), "utf-8")
    for mcu, file in facts["modm"].items():
        text = family.vectors_toml(modm.device(wheel, file), mcu, file, facts)
        (out / f"vectors_{mcu}.toml").write_text(text, "utf-8")


L4_SVDS = ("svd", "sister")
# Family -> the hashes of its --svd files, in order, and what makes its facts of them.
EXTRACT = {
    "stm32f4": ((SVD_SHA256,), extract_f4),
    "stm32h7": ((h7.SVD_SHA256,), extract_h7),
    "stm32l4": (tuple(family.load("stm32l4")["source"][name]["sha256"] for name in L4_SVDS), extract_l4),
}

if __name__ == "__main__":
    raise SystemExit(main())

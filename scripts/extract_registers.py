#!/usr/bin/env python3
"""Extract the register facts of the STM32F4 from vendor data into firmware/port/stm32f4/.

    pip download --no-deps --no-binary :all: cmsis-svd==0.4 && pip download --no-deps modm-devices==0.13.1
    scripts/extract_registers.py --svd cmsis-svd-0.4.tar.gz --modm modm_devices-0.13.1-py3-none-any.whl

Writes `registers.toml` (peripheral bases, offsets, reset values, bit fields of what the firmware touches) and one
`vectors_<mcu>.toml` per MCU (interrupts, memories, DMA routes and pins of the USARTs). Both archives are checked by
SHA-256. With --witness stm32f446xx.h core_cm4.h the result is compared with ST's and Arm's own headers.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from registers import modm, svd, witness

SVD_SHA256 = "b5f439fc6bbc43c9b56dd822f1f764359d503c685a42f913a1cfc2a3c6c42b2c"
OUT = Path(__file__).resolve().parents[1] / "firmware/port/stm32f4"
MCUS = {"stm32f446re": ("STM32F446x", "stm32f4-46.xml"), "stm32f405rg": ("STM32F40x", "stm32f4-05_07_15_17.xml")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--svd", type=Path, required=True, help="cmsis-svd-0.4.tar.gz")
    parser.add_argument("--modm", type=Path, required=True, help="modm_devices-0.13.1-py3-none-any.whl")
    parser.add_argument("--witness", type=Path, nargs="*", default=[], help="C headers to compare with")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    for path, expected in ((arguments.svd, SVD_SHA256), (arguments.modm, modm.MODM_SHA256)):
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            print(f"{path}: not the pinned archive (SHA-256 differs)", file=sys.stderr)
            return 1
    devices = [svd.peripherals(arguments.svd, names[0]) for names in MCUS.values()]
    registers = arguments.out / "registers.toml"
    registers.write_text(svd.registers_toml(*devices), "utf-8")
    for mcu, (_, file) in MCUS.items():
        text = modm.vectors_toml(modm.device(arguments.modm, file), mcu, file)
        (arguments.out / f"vectors_{mcu}.toml").write_text(text, "utf-8")
    if not arguments.witness:
        return 0
    count, wrong = witness.compare(registers, arguments.witness)
    print(f"{count} facts stand in the headers too, {len(wrong)} of them differ")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""scripts/sbom.py PACK VERSION: what is in the released firmware, as CycloneDX 1.6 JSON on stdout.

An image holds generated C, kernels, hilgate's firmware and newlib, compiled by one compiler: those are its components.
Python packages that made it are tools, pinned in requirements.lock.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

from hilgate import __version__
from hilgate.artifacts import read_json
from hilgate.ci.claims.claim import CellClaim, read_claim

PINNED_LIBRARY = re.compile(r"(libnewlib-arm-none-eabi)=(\S+)")


def document(pack: Path, version: str, root: Path) -> dict[str, Any]:
    """The whole SBOM of a pack of main's own build; depends on nothing else, so equal packs give equal files."""
    claim = read_claim(pack)
    images = [_image(pack, name, cell) for name, cell in claim.cells.items() if cell.state == "built"]
    parts = [part for image in images for part in image["components"]] + _linked(root)
    name = claim.repository.rpartition("/")[2] or root.name
    product = {"type": "firmware", "bom-ref": "product", "name": name, "version": version}
    references = [image["bom-ref"] for image in images]
    linked = [part["bom-ref"] for part in _linked(root)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{claim.repository}@{claim.head_sha}')}",
        "version": 1,
        "metadata": {"component": product, "tools": {"components": _tools(pack, claim.cells)}},
        "components": [{key: value for key, value in image.items() if key != "components"} for image in images] + parts,
        "dependencies": [
            {"ref": "product", "dependsOn": references},
            *({"ref": image["bom-ref"], "dependsOn": [image["components"][0]["bom-ref"], *linked]} for image in images),
        ],
    }


def _image(pack: Path, name: str, cell: CellClaim) -> dict[str, Any]:
    folder = pack / "cells" / name
    model = read_json(folder / "model.json", "model")
    digest = cell.files["firmware.elf"]["sha256"]
    return {
        "type": "firmware",
        "bom-ref": f"image:{name}",
        "name": f"{name}-firmware.elf",
        "version": digest[:16],
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": f"model:{name}",
                "name": cell.task,
                "version": str(model["weights_hash"])[:16],
                "hashes": [{"alg": "SHA-256", "content": model["weights_hash"]}],
                "properties": [
                    {"name": "hilgate:architecture", "value": str(model["architecture_hash"])},
                    {"name": "hilgate:source", "value": str(model["source_hash"])},
                    {"name": "hilgate:board", "value": cell.board},
                ],
            }
        ],
    }


def _linked(root: Path) -> list[dict[str, Any]]:
    """Firmware and C library: what the linker puts in beside the model."""
    dockerfile = (root / ".github/container/Dockerfile").read_text("utf-8")
    found = PINNED_LIBRARY.search(dockerfile)
    name, version = found.groups() if found else ("libnewlib-arm-none-eabi", "unknown")
    return [
        {"type": "firmware", "bom-ref": "hilgate-firmware", "name": "hilgate-firmware", "version": __version__},
        {"type": "library", "bom-ref": "newlib", "name": name, "version": version},
    ]


def _tools(pack: Path, cells: dict[str, CellClaim]) -> list[dict[str, Any]]:
    sizes = [read_json(pack / "cells" / n / "sizes.json", "sizes") for n, c in cells.items() if c.state == "built"]
    compilers = sorted({(one["toolchain"]["compiler"], one["toolchain"]["version"]) for one in sizes})
    tools = [{"type": "application", "name": "hilgate", "version": __version__}]
    return tools + [{"type": "application", "name": name, "version": version} for name, version in compilers]


if __name__ == "__main__":
    print(json.dumps(document(Path(sys.argv[1]), sys.argv[2], Path.cwd()), indent=1, sort_keys=True))

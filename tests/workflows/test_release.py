"""The SBOM of a release: valid CycloneDX, and it names what is really in the pack."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hilgate.artifacts import artifact, read_json
from hilgate.ci.claims.claim import CellClaim, Claim, write_claim

CELL = "digits_nucleo_f446re"
MODEL = {"architecture_hash": "a1" * 16, "weights_hash": "b2" * 32, "source_hash": "c3" * 32}


@pytest.fixture
def pack(root: Path, tmp_path: Path) -> Path:
    """A pack of one cell; of the image only its hash matters here."""
    folder = tmp_path / "cells" / CELL
    folder.mkdir(parents=True)
    sizes = artifact(root, "build.sizes", CELL)
    (folder / "sizes.json").write_bytes(sizes.read_bytes())
    elf = hashlib.sha256(b"image").hexdigest()
    cell = CellClaim("digits", "nucleo_f446re", "built", files={"firmware.elf": {"bytes": 5, "sha256": elf}})
    failed = CellClaim("digits", "nucleo_l4r5zi", "failed", "no")
    claim = Claim("acme/product", "c" * 40, "", "push", (), (), {CELL: cell, "other": failed})
    write_claim(tmp_path, claim)
    return tmp_path


@pytest.fixture
def sbom(root: Path, pack: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict]:
    """scripts/sbom.py on that pack; of model.json it reads three hashes, so that this one has no more."""
    spec = importlib.util.spec_from_file_location("sbom", root / "scripts/sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    real = module.read_json
    monkeypatch.setattr(module, "read_json", lambda path, kind: MODEL if kind == "model" else real(path, kind))
    return lambda: module.document(pack, "v1.2", root)


def test_it_is_cyclonedx_1_6(sbom: Callable[[], dict]) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    document = sbom()
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(document)) is None
    document["components"][0]["type"] = "nonsense"
    assert validator.validate_str(json.dumps(document)) is not None


def test_it_names_images_models_library_and_compiler(root: Path, sbom: Callable[[], dict]) -> None:
    document = sbom()
    parts = {part["bom-ref"]: part for part in document["components"]}
    assert set(parts) == {f"image:{CELL}", f"model:{CELL}", "hilgate-firmware", "newlib"}
    assert parts[f"model:{CELL}"]["hashes"][0]["content"] == MODEL["weights_hash"]
    assert parts[f"image:{CELL}"]["hashes"][0]["content"] == hashlib.sha256(b"image").hexdigest()
    dockerfile = (root / ".github/container/Dockerfile").read_text()
    assert f"libnewlib-arm-none-eabi={parts['newlib']['version']}" in dockerfile
    toolchain = read_json(artifact(root, "build.sizes", CELL), "sizes")["toolchain"]
    tools = {tool["name"]: tool["version"] for tool in document["metadata"]["tools"]["components"]}
    assert tools[toolchain["compiler"]] == toolchain["version"]
    assert document["metadata"]["component"] == {
        "type": "firmware",
        "bom-ref": "product",
        "name": "product",
        "version": "v1.2",
    }


def test_equal_packs_give_equal_files(sbom: Callable[[], dict]) -> None:
    assert sbom() == sbom()

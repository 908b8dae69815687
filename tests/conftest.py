"""Fixtures that every area uses."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from hilgate.scaffold import create

# No test depends on how busy the machine is, and no change is judged by examples that nobody has seen: `make test`
# draws the same ones every time, `make soak` new ones.
QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("test", derandomize=True, **QUIET)
settings.register_profile("soak", **QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

# A shell that starts us in the background has Ctrl-C ignored, and what we start would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TEMPLATE_STAGES = ("data", "train", "export", "quantize")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project folder."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def browser_module(root: Path) -> ModuleType:
    """scripts/browser.py, where there is a browser: not every system has one as a package (scripts/setup)."""
    spec = importlib.util.spec_from_file_location("browser", root / "scripts/browser.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["browser"] = module
    spec.loader.exec_module(module)
    if not any(shutil.which(name) for name in module.NAMES):
        pytest.skip("no browser looks at the pages: install chromium")
    return module


@pytest.fixture
def new_project(root, tmp_path):
    """An empty project whose one task, `waves`, is a copy of src/tasks/TEMPLATE."""
    return make_project(root, tmp_path / "project")


@pytest.fixture(scope="session")
def trained_project(root, tmp_path_factory):
    """The same, taken through data, train, export and quantize once for all tests: read it, never write it."""
    from importlib import import_module

    from hilgate.params import load_params

    project = make_project(root, tmp_path_factory.mktemp("trained"))
    for room in TEMPLATE_STAGES:
        import_module(f"hilgate.{room}.{room}").execute("waves", load_params(project), project)
    return project


def make_project(root: Path, project: Path) -> Path:
    """What `hilgate new task waves` makes, with the template's own lines as params.yaml."""
    tasks = project / "src" / "tasks"
    shutil.copytree(root / "src/tasks/TEMPLATE", tasks / "TEMPLATE", ignore=shutil.ignore_patterns("__pycache__"))
    create("task", "waves", project)
    (tasks / "__init__.py").touch()
    (tasks / "waves" / "params.example.yaml").rename(project / "params.yaml")
    return project

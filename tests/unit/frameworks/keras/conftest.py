"""Every test of this folder runs on Keras's torch, JAX and TensorFlow backends.

Keras takes one backend a process. Tests of the backend of this process run here; for
the others the whole file runs once in a process of its own, and each test here
reports what became of it there. On TensorFlow, which takes seconds to start, one file
runs every day and the others with the slow tests.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import keras
import pytest

BACKENDS = ("torch", "jax")
ON_TENSORFLOW_EVERY_DAY = {"test_measure.py"}
INSIDE = "FANIN_TEST_BACKEND"
"""Set in the process that runs a file for the other backend."""


def pytest_generate_tests(metafunc):
    inside = os.environ.get(INSIDE)
    path = Path(metafunc.definition.path)
    marks = [] if path.name in ON_TENSORFLOW_EVERY_DAY else [pytest.mark.slow]
    backends = (*BACKENDS, pytest.param("tensorflow", marks=marks))
    metafunc.fixturenames.append("backend")
    metafunc.parametrize("backend", [inside] if inside else backends)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    backend = pyfuncitem.callspec.params["backend"]
    if backend == keras.backend.backend():
        return None
    slow = any(m.name == "slow" for m in getattr(pyfuncitem.obj, "pytestmark", ()))
    failures = outcomes(pyfuncitem.path, backend, slow)
    name = pyfuncitem.name
    if name not in failures:
        pytest.fail(f"{name} did not run on {backend}: {failures.get('')}")
    if failures[name] is not None:
        pytest.fail(failures[name], pytrace=False)
    return True


@functools.cache
def outcomes(path: Path, backend: str, slow: bool) -> dict[str, str | None]:
    """Run a file on that backend: test name → None, or how it failed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "outcomes.xml")
        arguments = ["-m", "slow" if slow else "not slow", f"--junitxml={file}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *arguments, str(path)],
            env=os.environ | {"KERAS_BACKEND": backend, INSIDE: backend},
            capture_output=True,
            text=True,
            check=False,
        )
        if not file.exists():
            return {"": done.stdout + done.stderr}
        cases = ET.parse(file).getroot().iter("testcase")
        found = {case.get("name"): _failure(case) for case in cases}
    return found | {"": done.stdout[-2000:]}


def _failure(case: ET.Element) -> str | None:
    for kind in ("failure", "error"):
        child = case.find(kind)
        if child is not None:
            return child.text
    return None

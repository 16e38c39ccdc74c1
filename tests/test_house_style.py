"""The rules of the house that no linter has: sizes, names, light import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "fanin").rglob("*.py"))
MOST_LINES = 300
DUMPING_GROUNDS = {"utils", "helpers", "common", "misc", "base", "core", "tools"}
HEAVY = ("torch", "keras", "jax", "tensorflow", "sympy", "llvmlite", "rich", "scipy")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_is_short(path):
    n_lines = len(path.read_text(encoding="utf-8").splitlines())

    assert n_lines <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_opens_with_its_docstring(path):
    text = path.read_text(encoding="utf-8")

    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_has_a_name_that_says_what_it_is(path):
    assert path.stem not in DUMPING_GROUNDS


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_assert_is_left_to_the_tests(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)]


def test_importing_fanin_loads_nothing_heavy():
    code = f"import sys, fanin; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_importing_fanin_takes_less_than_three_tenths_of_a_second():
    # Own user time, the best of three: another process on the machine must not fail it.
    code = (
        "import resource, fanin; "
        "u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
    )
    bare = "import resource; u = resource.getrusage(resource.RUSAGE_SELF); "
    bare += "print(u.ru_utime + u.ru_stime)"

    def seconds(program: str) -> float:
        runs = [
            subprocess.run(
                [sys.executable, "-c", program],
                capture_output=True,
                text=True,
                check=True,
            )
            for _ in range(3)
        ]
        return min(float(run.stdout) for run in runs)

    assert seconds(code) - seconds(bare) < 0.3

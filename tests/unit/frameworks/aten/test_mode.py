"""A check loads no compiler, and keeps one out that is there."""

import subprocess
import sys

import torch

from fanin.frameworks._aten.mode import COMPILER, uncompiled

PROGRAM = f"""
import sys
import torch
import fanin

net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
fanin.check(net, torch.ones(3, 4))
print({COMPILER!r} in sys.modules)
"""


def test_a_check_does_not_load_the_compiler():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_loaded_compiler_is_kept_out(monkeypatch):
    seen = []
    monkeypatch.setitem(sys.modules, COMPILER, object())
    monkeypatch.setattr(torch.compiler, "disable", lambda f: seen.append(f) or f)

    def add(x, y):
        return x + y

    kept_out = uncompiled(add)
    assert (kept_out(1, 2), kept_out(3, y=4)) == (3, 7)
    assert seen == [add]

"""Machine code kept on disk is used again, and never what is cut short or another's."""

import os

import numpy as np
import pytest

from fanin.sampler import Law
from fanin.sampler.compiled import Kernels
from fanin.sampler.kernel_cache import KernelCache, default_folder
from fanin.sampler.recipe import recipe_of

UNIFORM = recipe_of(Law("uniform", bound=1.0))


def drawn(folder):
    out = np.empty(1000, dtype=np.float32)
    Kernels(cache=KernelCache(folder)).fill(UNIFORM, 1, range(1000), out)
    return out


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "kernels"
    drawn(made)
    return made


def counted(monkeypatch):
    """Count the kernels that are compiled, and so kept, from here on."""
    kept = []
    keep = KernelCache._keep
    monkeypatch.setattr(
        KernelCache, "_keep", lambda *them: (kept.append(1), keep(*them))
    )
    return kept


def test_a_kernel_is_compiled_once(folder, monkeypatch):
    compiled = counted(monkeypatch)
    again = drawn(folder)

    assert not compiled
    assert np.array_equal(again, drawn(folder.parent / "other"))
    assert compiled


def test_a_file_that_was_cut_short_is_compiled_anew(folder, monkeypatch):
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    compiled = counted(monkeypatch)
    drawn(folder)

    assert len(compiled) == 1
    assert path.read_bytes() == whole


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes are POSIX's")
def test_a_folder_that_others_may_write_to_is_not_read(folder, monkeypatch):
    folder.chmod(0o777)
    compiled = counted(monkeypatch)
    drawn(folder)

    assert compiled


def test_where_nothing_can_be_kept_the_kernel_is_compiled_in_memory(tmp_path):
    path = tmp_path / "a file"
    path.write_text("no folder")

    assert np.array_equal(drawn(path), drawn(tmp_path / "kernels"))


def test_the_folder_can_be_said(monkeypatch, tmp_path):
    monkeypatch.setenv("FANIN_CACHE", str(tmp_path))

    assert default_folder() == tmp_path / "kernels"


@pytest.mark.parametrize(
    ("platform", "variable", "ending"),
    [
        ("linux", "XDG_CACHE_HOME", ("fanin", "kernels")),
        ("win32", "LOCALAPPDATA", ("fanin", "kernels")),
    ],
)
def test_the_folder_is_the_platforms(monkeypatch, tmp_path, platform, variable, ending):
    monkeypatch.delenv("FANIN_CACHE", raising=False)
    monkeypatch.setattr("fanin.sampler.kernel_cache.sys.platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))

    assert default_folder() == tmp_path.joinpath(*ending)

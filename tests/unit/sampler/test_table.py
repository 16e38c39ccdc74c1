import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from fanin.sampler.table import narrow_table, wide_table

TOOL = Path(__file__).parents[3] / "tools" / "make_normal_table.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("make_normal_table", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


NARROW_PLACES = [
    (0, 0),
    (3, 16),
    (6, 127),
    (7, 0),
    (7, 127),
    (22, 5),
    (30, 0),
    (30, 127),
]
WIDE_PLACES = [(0, 0), (5, 62), (6, 0), (31, 17), (62, 0), (62, 63)]


@pytest.mark.parametrize("place", NARROW_PLACES, ids=str)
def test_the_narrow_table_is_what_the_tool_computes(tool, place):
    octave, segment = place
    base, slope = narrow_table()
    at = 128 * octave + segment

    assert (base[at], slope[at]) == tool.narrow_entry(octave, segment)


@pytest.mark.parametrize("place", WIDE_PLACES, ids=str)
def test_the_wide_table_is_what_the_tool_computes(tool, place):
    octave, segment = place

    assert wide_table()[:, 64 * octave + segment].tolist() == tool.wide_entry(*place)


@pytest.mark.slow
def test_every_entry_is_what_the_tool_computes(tool):
    assert np.array_equal(np.stack(narrow_table()), tool.narrow_table())
    assert np.array_equal(wide_table(), tool.wide_table())


def test_a_slope_times_an_offset_fits_32_bits():
    assert int(narrow_table()[1].max()) * (2**15 - 1) < 2**32


def test_a_table_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        wide_table()[0, 0] = 1

"""Tests of report/studies: every number of a study is on its page and in its text."""

import json
import re

import numpy as np
import pytest

from fanin.errors import ArgumentError
from fanin.graph.coordinates import Walk
from fanin.race.studies import DepthMap, DepthStudy, Widths, WidthStudy
from fanin.report.studies import DepthResult, WidthResult


@pytest.fixture
def depth():
    study = DepthStudy(sigmas=(0.6, 1.0, 2.5), depths=(4, 16))
    return DepthResult(
        found=DepthMap(
            study=study,
            accuracy=np.array([[0.73, 0.91, 0.89], [0.11, 0.86, 0.31]]),
            rates=np.full((2, 3), 0.1),
            chance=0.1,
            seconds=12.0,
        )
    )


@pytest.fixture
def width():
    study = WidthStudy(widths=(16, 64), seeds=(0, 1), rates=(0.01, 0.1))
    walks = {
        (policy, w, seed): Walk(
            layers=("0", "output"),
            mean_abs=np.full((5, 2), 1.0 + seed / 10) * w**power,
            change=np.full((5, 2), 0.1) * w**power,
            losses=np.ones(5),
        )
        for policy, power in (("as built", 1.0), ("mup", 0.0))
        for w in (16, 64)
        for seed in (0, 1)
    }
    losses = {
        ("as built", 16): np.array([0.5, 0.4]),
        ("as built", 64): np.array([0.3, np.nan]),
        ("mup", 16): np.array([0.5, 0.4]),
        ("mup", 64): np.array([0.4, 0.2]),
    }
    return WidthResult(
        found=Widths(
            study=study, model="a net", walks=walks, losses=losses, seconds=3.0
        )
    )


def test_the_depth_page_shows_every_accuracy_and_the_line(depth):
    page = depth.to_html()
    for accuracy in ("0.73", "0.91", "0.89", "0.11", "0.86", "0.31"):
        assert f">{accuracy}<" in page
    assert "6ξ foretells for 6 of 6 nets" in page
    assert 'stroke="#c1272d"' in page
    assert "<script src" not in page
    assert 'http-equiv="Content-Security-Policy"' in page


def test_the_depth_text_has_a_row_a_depth_and_the_limit(depth):
    text = str(depth)
    assert re.search(r"^4 +0\.73 +0\.91 +0\.89$", text, re.MULTILINE)
    assert re.search(r"^6ξ +5\.9 +∞ +\d+\.\d$", text, re.MULTILINE)


def test_the_width_text_says_which_way_sizes_go(width):
    text = str(width)
    assert "as built: what 4 steps change goes at most as width^1.00 ± 0.00" in text
    assert "the wider, the faster it moves" in text
    assert "mup: what 4 steps change goes at most as width^0.00" in text
    assert "every layer learns at one pace" in text


def test_the_transfer_is_told_from_the_losses(width):
    text = str(width)
    assert "moves by a factor of 0.1 (0.1 to 0.01)" in text
    assert "loss 0.3 at its own and none (it diverges) at the narrowest's" in text
    assert "mup: from width 16 to 64 the best learning rate is the same" in text


def test_the_width_page_has_a_panel_for_each_layer_and_policy(width):
    page = width.to_html()
    for title in ("layer 0, as built", "layer 0, mup", "output, mup"):
        assert title in page
    assert "Learning rate, mup" in page


@pytest.mark.parametrize("kind", ["depth", "width"])
def test_json_has_no_nan_and_is_read_back(kind, request):
    result = request.getfixturevalue(kind)

    def refuse(name):
        raise AssertionError(name)

    read = json.loads(result.to_json(), parse_constant=refuse)
    assert read["schema"] == f"fanin.study.{kind}/1"


@pytest.mark.parametrize("kind", ["depth", "width"])
def test_a_study_is_saved_by_the_file_s_ending(kind, request, tmp_path):
    result = request.getfixturevalue(kind)
    assert result.save(tmp_path / "study.html").read_text() == result.to_html()
    assert result.save(tmp_path / "study.txt").read_text() == str(result)
    with pytest.raises(ArgumentError, match=r"\.json"):
        result.save(tmp_path / "study.doc")

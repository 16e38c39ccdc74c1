"""The theory's lesson in every format: whole, well formed, and with its own numbers."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import fanin
from fanin.cli import main
from fanin.errors import ArgumentError, FaninError
from fanin.report.derivation.mathml import mathml
from fanin.report.theory.parts import parts_of

NETS = {
    "stable and repelling": {"activation": "gelu", "sigma_w": 1.5, "sigma_b": 0.1},
    "chaotic": {"activation": "tanh", "sigma_w": 2.5, "sigma_b": 0.3},
    "edge": {"activation": "relu"},
    "without bound": {"activation": "relu", "sigma_w": 1.6, "sigma_b": 0.1},
    "falls to 0": {"activation": "gelu", "sigma_w": 1.4},
    "falls beyond float64": {"activation": "relu_squared", "sigma_w": 0.9, "q": 0.02},
    "gated": {"activation": "swiglu", "sigma_w": 1.2, "sigma_b": 0.1},
    "jump": {"activation": "step", "sigma_w": 1.0, "sigma_b": 0.1},
    "function": {"activation": lambda x: np.clip(x, -1, 2), "sigma_w": 1.2},
}


@pytest.fixture(scope="module")
def lessons():
    return {
        name: fanin.explain("theory", depth=12, **net) for name, net in NETS.items()
    }


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", NETS)
def test_a_page_is_one_well_formed_file_without_a_host_and_without_nan(lessons, name):
    page = lessons[name].to_html()
    balance = Balance()
    balance.feed(page)

    assert not balance.open
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert not re.search(r'="[^"]*\bnan\b', page)
    assert len(page) < 200_000


@pytest.mark.parametrize("name", NETS)
def test_every_format_says_the_summary(lessons, name):
    lesson = lessons[name]

    text = " ".join(lesson.to_text().split())
    assert lesson.summary in text
    assert lesson.summary in lesson.to_markdown()
    assert lesson.summary == json.loads(lesson.to_json())["summary"]
    assert lesson.title in lesson.to_html()


@pytest.mark.parametrize("name", NETS)
def test_latex_is_ascii_with_balanced_braces(lessons, name):
    text = lessons[name].to_latex()
    plain = text.replace(r"\{", "").replace(r"\}", "")

    assert [letter for letter in text if ord(letter) > 127] == []
    assert plain.count("{") == plain.count("}")


def test_every_formula_becomes_mathml(lessons):
    for lesson in lessons.values():
        for part in parts_of(lesson.portrait):
            for formula in part.formulas:
                assert "merror" not in mathml(formula.latex)


def test_json_holds_the_numbers_of_the_portrait(lessons):
    lesson = lessons["stable and repelling"]
    found = json.loads(lesson.to_json())

    assert found["schema"] == "fanin.theory/1"
    assert [p["stability"] for p in found["fixed_points"]] == ["stable", "unstable"]
    assert found["settles"] == lesson.portrait.settles
    assert found["edge_of_chaos"][0]["slope"] > 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stable and repelling", "settle at q* = 0.02424. The phase is ordered"),
        ("chaotic", "two inputs part, to a correlation of 0.1221"),
        ("edge", "the edge of chaos"),
        ("without bound", "grow without bound"),
        ("falls to 0", "fall to 0, exponentially"),
        ("jump", "φ jumps"),
    ],
)
def test_the_summary_says_what_depth_does(lessons, name, said):
    assert said in lessons[name].summary


def test_an_exact_gain_that_repels_is_not_called_settled():
    from fanin.theory import gains

    start = gains("gelu").forward
    summary = fanin.explain("theory", activation="gelu", sigma_w=start).summary

    assert "the fixed point repels" in summary


def test_the_gradient_across_a_jump_is_explained(lessons):
    assert "does not see the jump" in lessons["jump"].to_markdown()
    assert "here less than one layer" in lessons["jump"].to_markdown()


def test_it_is_saved_by_its_suffix(lessons, tmp_path):
    lesson = lessons["edge"]

    assert lesson.save(tmp_path / "a.md").read_text("utf-8") == lesson.to_markdown()
    with pytest.raises(ArgumentError, match=r"\.html, \.md"):
        lesson.save(tmp_path / "a.docx")


def test_a_notebook_shows_it_and_python_prints_it(lessons):
    lesson = lessons["gated"]

    assert lesson._repr_html_().startswith('<div class="fanin">')
    assert repr(lesson) == "<TheoryLesson 'swiglu': ordered>"
    assert str(lesson) == lesson.to_text()


@pytest.mark.parametrize(
    ("case", "wrong", "message"),
    [
        ("theory", {"sigma_w": 0.0}, "'sigma_w'"),
        ("theory", {"sigma_w": float("nan")}, "'sigma_w'"),
        ("theory", {"sigma_b": -1.0}, "'sigma_b'"),
        ("theory", {"q": 0.0}, "'q'"),
        ("theory", {"depth": 0}, "'depth'"),
        ("theory", {"activation": "gelo"}, "Did you mean"),
        ("theory", {"activation": np.log}, "finite value"),
        ("theory", {"net": "2-2-1"}, "'net'"),
        ("zero", {"sigma_w": 1.0}, "'sigma_w'"),
        ("zero", {"activation": np.tanh}, "'activation'"),
    ],
)
def test_what_does_not_fit_is_refused(case, wrong, message):
    with pytest.raises(FaninError, match=message):
        fanin.explain(case, **wrong)


def test_the_command_prints_what_the_verb_gives(capsys):
    command = ["explain", "theory", "--activation", "tanh", "--sigma-w", "1.3"]

    assert main([*command, "--sigma-b", "0.3", "--depth", "20"]) == 0
    lesson = fanin.explain(
        "theory", activation="tanh", sigma_w=1.3, sigma_b=0.3, depth=20
    )
    assert capsys.readouterr().out == lesson.to_text()

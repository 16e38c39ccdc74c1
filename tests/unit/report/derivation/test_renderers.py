"""A derivation in each output form: whole, escaped, self-contained, readable back."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fanin.derivation import CASES, explain
from fanin.derivation.scales.pages import PAGES
from fanin.errors import ArgumentError, OutputError
from fanin.report.derivation import lesson
from fanin.report.derivation.latex import prose
from fanin.report.derivation.mathml import mathml

NAMES = [*CASES, *(page.name for page in PAGES)]
GOLDEN = Path(__file__).parents[3] / "golden" / "explain"


@pytest.fixture(scope="module")
def lessons():
    return {name: lesson(explain(name)) for name in NAMES}


VOID = {"meta", "br", "img", "hr", "input", "link"}


class Balance(HTMLParser):
    """Counts elements that are opened and not closed."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_one_well_formed_file_without_a_host(lessons, name):
    page = lessons[name].to_html()
    balance = Balance()
    balance.feed(page)

    assert not balance.open
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "<script" not in page.replace('<script type="application/json"', "")


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_is_on_the_page(lessons, name):
    shown = lessons[name]
    words = re.sub(r"<[^>]+>", "", shown.to_html())

    for claim in shown.claims:
        assert claim.statement.replace("'", "&#x27;") in words


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_becomes_mathml(lessons, name):
    for section in lessons[name].sections:
        for step in section.steps:
            if step.formula is not None:
                assert "merror" not in mathml(step.formula.latex)
                assert "\\" not in re.sub(r"<[^>]+>", "", mathml(step.formula.latex))


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_ascii_with_balanced_braces(lessons, name):
    text = lessons[name].to_latex()
    plain = text.replace(r"\{", "").replace(r"\}", "")

    assert text.isascii()
    assert plain.count("{") == plain.count("}")
    assert plain.replace(r"\$", "").count("$") % 2 == 0
    assert "$$" not in text
    assert text.count(r"\begin{") == text.count(r"\end{")


@pytest.mark.parametrize("name", NAMES)
def test_markdown_sets_formulas_between_dollar_signs(lessons, name):
    text = lessons[name].to_markdown()

    assert text.startswith(f"# {lessons[name].case}: ")
    assert text.count("$$") % 2 == 0
    assert text.count("$$") > 4


@pytest.mark.parametrize("name", NAMES)
def test_json_holds_every_claim_with_its_verdict(lessons, name):
    data = json.loads(lessons[name].to_json())

    assert data["schema"] == "fanin.explain/1"
    assert [c["holds"] for c in data["claims"]] == [
        c.holds for c in lessons[name].claims
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_line_in_the_terminal_is_wider_than_asked(lessons, name):
    assert max(map(len, str(lessons[name]).splitlines())) <= 100


def test_the_terminal_shows_proofs_when_asked(lessons):
    shown = lessons["A1"]

    assert "An update computed from gradients" not in str(shown)
    assert "An update computed from gradients" in shown.to_text(proofs=True)


def test_colour_is_written_only_when_asked(lessons):
    assert "\x1b[" not in str(lessons["A1"])
    assert "\x1b[" in lessons["A1"].to_text(styled=True)


def test_a_notebook_gets_html_latex_and_markdown(lessons):
    shown = lessons["B1"]

    assert shown._repr_html_().startswith('<div class="fanin">')
    assert shown._repr_latex_().startswith("$$")
    assert shown._repr_markdown_() == shown.to_markdown()


def test_the_repr_counts_the_claims(lessons):
    assert repr(lessons["A1"]) == "<Lesson A1 'zero': 10 claims, 6 hold, 4 refuted>"


def test_twins_share_a_colour_and_a_number(lessons):
    tied = lessons["B1"].to_html()
    free = lessons["B2"].to_html()

    assert tied.count('fill="var(--s1)" opacity="0.18"') == 2
    assert free.count('fill="var(--s1)" opacity="0.18"') == 1


@pytest.mark.parametrize("suffix", ["html", "md", "tex", "json", "txt"])
def test_a_lesson_is_saved_by_its_suffix(lessons, tmp_path, suffix):
    path = lessons["A1"].save(tmp_path / f"zero.{suffix}")

    assert path.read_text(encoding="utf-8")


def test_an_unknown_suffix_is_refused(lessons, tmp_path):
    with pytest.raises(ArgumentError, match=r"\.html, \.md, \.tex, \.json, \.txt"):
        lessons["A1"].save(tmp_path / "zero.pdf")


def test_a_missing_folder_is_refused(lessons, tmp_path):
    with pytest.raises(OutputError):
        lessons["A1"].save(tmp_path / "none" / "zero.html")


def test_prose_escapes_what_tex_reads():
    assert prose("50 % & {x_1} #2 $") == r"50 \% \& \{x\_1\} \#2 \$"


@pytest.mark.parametrize("name", ["A1", "A3", "B1", "he"])
def test_the_terminal_text_is_the_golden_one(lessons, name):
    text = lessons[name].to_text(proofs=True)

    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from fanin.api import demo

pytestmark = pytest.mark.timeout(280)


@pytest.fixture(scope="module")
def shown():
    return demo(
        progress=False,
        depth=2,
        width=8,
        n_steps=3,
        seeds=(0, 1),
        learning_rates=(0.1,),
        n_jobs=1,
    )


def test_every_patient_is_found_and_mended(shown):
    assert [patient.before.ok for patient in shown.patients] == [False] * 5
    assert {str(p.after.verdict) for p in shown.patients} == {"healthy for this batch"}


def test_the_text_says_what_was_proved_found_and_measured(shown):
    text = shown.to_text()

    assert "W1, b1 and W2 never move.  proved" in text
    assert "FAN101" in text
    assert "he_normal" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_page_is_whole_and_asks_nothing_of_the_network(shown, tmp_path):
    class Outline(HTMLParser):
        def __init__(self):
            super().__init__()
            self.headings, self.links = [], []

        def handle_starttag(self, tag, attrs):
            if tag in {"h1", "h2"}:
                self.headings.append(tag)
            self.links += [v for k, v in attrs if k in {"src", "href"} and v]

    outline = Outline()
    outline.feed(shown.save(tmp_path / "demo.html").read_text(encoding="utf-8"))

    assert outline.headings.count("h1") == 1
    assert outline.headings.count("h2") > 6
    assert all(link.startswith(("#", "data:")) for link in outline.links)

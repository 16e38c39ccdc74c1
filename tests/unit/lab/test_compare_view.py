"""Stored runs, browsed: what `fanin compare` wrote is what the page shows."""

from __future__ import annotations

import pytest

import fanin
from fanin.errors import ArgumentError
from fanin.lab.seam import Asked, House
from fanin.lab.views import compare, find_views
from fanin.race import Store

ROWS = {"depth": 2, "width": 6, "n_steps": 2, "seeds": (0,), "learning_rates": (0.1,)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "runs.sqlite"
    for schemes in (("zeros",), ("zeros", "he_normal")):
        fanin.compare(
            schemes=schemes,
            activations=("relu",),
            progress=False,
            n_jobs=1,
            store=path,
            **ROWS,
        )
    return Store(path)


def shelf(store):
    return compare.Shelf(house=House(views=find_views()), store=lambda: store)


def test_the_runs_are_listed_the_newest_first(store):
    page = shelf(store).index(Asked()).content

    assert 0 < page.index('href="/compare/2"') < page.index('href="/compare/1"')
    assert "zeros, he_normal with relu on digits" in page
    assert "2 of 2" in page


def test_a_run_is_shown_as_its_report_has_it(store):
    from fanin.report.comparison.as_html import sections_of

    page = shelf(store).run(Asked(path={"run": "2"})).content

    for part in sections_of(store.load(2)):
        assert part.body in page
    assert "All: 2 of 2 trials" in page


@pytest.mark.parametrize("number", ["3", "0", "-1", "one", "1;drop", "٣"])
def test_a_run_that_is_not_there_is_said_so(store, number):
    with pytest.raises(ArgumentError, match="the number of a stored run"):
        shelf(store).run(Asked(path={"run": number}))


def test_without_a_store_the_page_says_how_to_make_a_run(tmp_path):
    none = shelf(Store(tmp_path / "none.sqlite"))

    assert "fanin compare" in none.index(Asked()).content
    assert not (tmp_path / "none.sqlite").exists()
    with pytest.raises(ArgumentError):
        none.run(Asked(path={"run": "1"}))

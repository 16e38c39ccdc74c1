"""A comparison says what was measured: in words, in the table, and in every format."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from fanin.errors import ArgumentError, OutputError, UnknownNameError
from fanin.graph.cohort import MemberRun, StartProfile
from fanin.race import Experiment, Failure, Standings, TrialResult
from fanin.report.comparison import Comparison

DEPTH = 4
SIZES = (64, *(16,) * DEPTH, 10)
SCHEMES = (
    "zeros",
    "constant(0.05)",
    "normal(std=0.01)",
    "normal(std=1)",
    "glorot_normal",
    "he_normal",
)
# What each scheme shows: accuracy, final loss, growth a layer, change, spread.
STORY = {
    "zeros": (0.08, 2.30, 0.0, 0.0, 0.0),
    "constant(0.05)": (0.12, 2.25, 1.1, 0.2, 0.0),
    "normal(std=0.01)": (0.08, 2.30, 1e-3, 1e-4, 0.05),
    "normal(std=1)": (0.1, math.nan, 1e4, math.nan, math.nan),
    "glorot_normal": (0.7, 0.9, 0.7, 0.3, 1.0),
    "he_normal": (0.95, 0.02, 1.0, 0.3, 1.0),
}


def member(scheme, rate, seed):
    accuracy, loss, growth, change, spread = STORY[scheme]
    is_lost = math.isnan(loss)
    rms = growth ** np.arange(DEPTH + 2.0)
    losses = np.linspace(2.3, 2.3 if is_lost else loss, 30)
    if is_lost:
        losses[2:] = np.nan
    return MemberRun(
        losses=losses,
        diverged_at=2 if is_lost else None,
        first_loss=2.3,
        final_loss=loss + 0.01 * (rate != 0.1),
        train_accuracy=accuracy,
        test_accuracy=accuracy + 0.001 * seed * (accuracy > 0.5),
        weight_change=np.full(DEPTH + 1, change),
        unit_spread=np.full(DEPTH, spread),
        start=StartProfile(
            rms=rms,
            between=rms / 2,
            gradient_rms=rms[:0:-1],
            weight_gradient_rms=rms[:0:-1],
            samples=tuple(np.linspace(0, r, 64, dtype=np.float32) for r in rms[1:-1]),
        ),
        seconds=0.5,
    )


def make(**changes):
    settings = {
        "schemes": SCHEMES, "activations": ("tanh", "relu"), "seeds": (0, 1, 2),
        "learning_rates": (1.0, 0.1, 0.01), "depth": DEPTH, "width": 16, "n_steps": 30,
    }  # fmt: skip
    experiment = Experiment(**(settings | changes))
    trials = [t for pair in experiment.pairs for t in experiment.trials(*pair)]
    return Comparison(
        standings=Standings(
            experiment=experiment,
            results=tuple(
                TrialResult(trial=t, run=member(t.scheme, t.learning_rate, t.seed))
                for t in trials
            ),
            data="digits",
            n_train=1348,
            n_test=449,
            sizes=SIZES,
            seconds=12.3,
        )
    )


@pytest.fixture(scope="module")
def comparison():
    return make()


def words(comparison, activation="relu"):
    return [one.text for one in comparison.findings(activation)]


def test_the_headline_ranks_by_what_was_measured(comparison):
    assert words(comparison)[0] == (
        "With relu: he_normal (0.951 ± 0.001) trains; glorot_normal (0.701 ± 0.001) "
        "stays behind; zeros, constant(0.05), normal(std=0.01) and normal(std=1) do "
        "not get beyond 0.12 (a guess gives 0.10)."
    )


@pytest.mark.parametrize(
    ("scheme", "sign"),
    [
        ("zeros", "the largest change is exactly 0"),
        ("constant(0.05)", "all units of a layer stay equal to one another"),
        ("normal(std=0.01)", "the signal vanishes"),
        ("normal(std=1)", "every run ended in NaN or infinity"),
        ("glorot_normal", "its values change by 0.7 times a layer"),
    ],
)
def test_a_failure_is_told_by_its_own_sign(comparison, scheme, sign):
    (found,) = (t for t in words(comparison)[1:] if t.startswith(f"{scheme} "))

    assert sign in found


def test_two_schemes_that_both_work_are_compared_seed_by_seed(monkeypatch):
    monkeypatch.setitem(STORY, "glorot_normal", (0.94, 0.03, 0.9, 0.3, 1.0))
    found = words(make())[1]

    assert found == (
        "glorot_normal against he_normal with relu: −0.010 (95 % interval −0.010 to "
        "−0.010 over 3 seeds with the same draws and batches; p < 0.001, Holm's "
        "correction for 30 comparisons)."
    )


def test_saturation_is_told_where_the_function_is_bounded(monkeypatch):
    monkeypatch.setitem(STORY, "normal(std=1)", (0.12, 4.0, 0.99, 9.0, 5.0))
    comparison = make()

    assert any("saturated" in text for text in words(comparison, "tanh"))
    assert not any("saturated" in text for text in words(comparison, "relu"))


def test_a_choice_at_the_grids_end_is_told():
    text = " ".join(words(make(learning_rates=(0.1, 0.01))))

    assert "The best learning rate of he_normal with relu, 0.1, is the highest" in text


def test_one_seed_is_not_given_an_interval():
    text = str(make(seeds=(0,)))

    assert "he_normal (0.950) trains" in text
    assert "nan" not in text


def test_the_best_is_named(comparison):
    assert comparison.best("relu") == "he_normal"


def test_an_activation_not_compared_is_refused(comparison):
    with pytest.raises(UnknownNameError, match="Known: relu, tanh"):
        comparison.best("gelu")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_no_cell_of_the_table_is_cut_in_a_terminal(comparison, width):
    table = comparison.table(width=width)

    lines = table.split("Rate:")[0].splitlines()
    assert all(len(line) <= max(width, 80) for line in lines)
    if width >= 100:
        assert "…" not in table


def test_the_table_holds_every_row(comparison):
    table = comparison.table(width=160)

    for scheme in SCHEMES:
        assert table.count(scheme) == 2
    assert "0.951 ± 0.001" in table
    assert "9 of 9" in table


def test_colour_is_written_only_when_asked_for(comparison):
    assert "\x1b[" not in comparison.table()
    assert "\x1b[" in comparison.table(is_coloured=True)


def test_json_holds_standings_trials_and_every_loss(comparison):
    data = json.loads(comparison.to_json())

    row = data["standings"][-1]
    assert data["schema"] == "fanin.compare/1"
    assert (row["scheme"], row["learning_rate"], row["verdict"]) == (
        "he_normal", 0.1, "works",
    )  # fmt: skip
    assert np.shape(row["losses"]) == (3, 30)
    assert len(data["trials"]["rows"]) == 2 * 6 * 3 * 3
    assert len(data["trials"]["rows"][0]) == len(data["trials"]["columns"])


def test_json_spells_nan_as_text(comparison):
    text = comparison.to_json()

    json.loads(text, parse_constant=pytest.fail)
    assert '"NaN"' in text


def test_markdown_is_a_table_of_equal_columns(comparison):
    lines = [x for x in comparison.to_markdown().splitlines() if x.startswith("|")]

    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert len(bars) == 1
    assert len(lines) == 2 + 12


class Tree(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_states_a_finding_and_numbers_for_every_figure(comparison):
    tree = Tree()
    tree.feed(comparison.to_html())
    tags = [tag for tag, _ in tree.found]

    assert (
        tags.count("figure") == tags.count("figcaption") == tags.count("details") == 7
    )
    assert sum(a.get("role") == "img" for _, a in tree.found) == 14


def test_no_two_parts_of_the_page_share_an_id(comparison):
    tree = Tree()
    tree.feed(comparison.to_html())
    ids = [attributes["id"] for _, attributes in tree.found if "id" in attributes]

    assert len(ids) == len(set(ids))


def test_the_page_keeps_its_budget(comparison):
    assert len(comparison.to_html().encode()) < 300_000
    assert len(comparison._repr_html_()) < 150_000


def test_what_the_page_embeds_is_the_json_without_curves(comparison):
    block = re.search(
        r'id="fanin-data">(.*?)</script>', comparison.to_html(), re.DOTALL
    )
    embedded, whole = json.loads(block.group(1)), json.loads(comparison.to_json())

    for row in whole["standings"]:
        row["losses"] = []
    assert embedded == whole


@pytest.mark.parametrize("ending", [".html", ".json", ".md", ".txt"])
def test_it_saves_by_the_files_ending(comparison, tmp_path, ending):
    path = comparison.save(tmp_path / f"out{ending}")

    text = path.read_text(encoding="utf-8")
    expected = {
        ".html": comparison.to_html, ".json": comparison.to_json,
        ".md": comparison.to_markdown, ".txt": comparison.to_text,
    }[ending]()  # fmt: skip
    assert text == expected


def test_another_ending_is_refused(comparison, tmp_path):
    with pytest.raises(ArgumentError, match=r"ends in .html, .json, .md, .txt"):
        comparison.save(tmp_path / "out.pdf")


def test_a_folder_that_is_not_there_is_refused(comparison, tmp_path):
    with pytest.raises(OutputError):
        comparison.save(tmp_path / "none" / "out.html")


def test_a_comparison_that_was_stopped_says_so_everywhere():
    whole = make().standings
    part = Standings(
        experiment=whole.experiment,
        results=whole.results[: len(whole.results) // 2 + 1],
        data="digits", n_train=1348, n_test=449, sizes=SIZES, seconds=1.0,
        is_partial=True,
    )  # fmt: skip
    comparison = Comparison(standings=part)

    for text in (str(comparison), comparison.to_markdown(), comparison.to_html()):
        assert "Stopped early: 55 of 108 nets were trained." in text
    assert "No scheme with relu was finished." in str(comparison)


def test_several_depths_are_panels_of_their_own_and_a_figure_by_depth():
    comparison = make(depth=(DEPTH, 8), activations=("relu",))
    page = comparison.to_html()

    assert "<h3>relu, depth 4</h3>" in page
    assert "<h3>relu, depth 8</h3>" in page
    assert "From the least depth to the greatest" in page
    assert "By width" not in page
    assert len(comparison.of("relu")) == 2 * len(SCHEMES)
    assert "relu, depth 8" in str(comparison)
    assert list(json.loads(comparison.to_json())["findings"]) == [
        "relu, depth 4",
        "relu, depth 8",
    ]


def test_of_many_settings_a_dozen_is_drawn_and_the_page_says_so():
    comparison = make(
        width=tuple(range(8, 23)),
        activations=("relu",),
        schemes=("zeros", "he_normal"),
    )

    assert "Of 15 settings the first 12 that are done are drawn." in (
        comparison.to_html()
    )


def test_two_that_differ_by_chance_are_not_told_apart(monkeypatch):
    monkeypatch.setitem(STORY, "glorot_normal", (0.951, 0.03, 0.9, 0.3, 1.0))
    comparison = make(seeds=(0, 1))
    rows = {row.scheme: row for row in comparison.of("relu")}
    lines = [t for t in words(comparison) if "against" in t]

    # With two seeds, t = 1.4 or so at most, where both move alike only by rounding.
    gap = comparison.standings.difference(rows["glorot_normal"], rows["he_normal"])
    assert gap.mean == pytest.approx(0.001)
    assert len(lines) == 1


def test_every_trial_is_a_row_of_csv_also_one_that_failed(comparison):
    whole = comparison.standings
    lost = whole.results[0].trial
    part = dataclasses.replace(
        whole,
        results=whole.results[1:],
        failures=(Failure(trial=lost, error="ValueError: no"),),
    )
    rows = list(csv.DictReader(io.StringIO(Comparison(standings=part).to_csv())))

    assert len(rows) == whole.experiment.n_trials
    assert rows[-1]["state"] == "failed"
    assert rows[-1]["error"] == "ValueError: no"
    assert {row["state"] for row in rows} == {"done", "diverged", "failed"}
    chosen = [row for row in rows if row["is_chosen"] == "True"]
    assert len(chosen) == 11 * 3 + 3  # of zeros with tanh the other rates are whole


def test_a_trial_that_failed_is_told_with_its_error(comparison):
    whole = comparison.standings
    trials = whole.experiment.trials("zeros", "relu")
    part = dataclasses.replace(
        whole,
        results=tuple(r for r in whole.results if r.trial not in trials),
        failures=tuple(Failure(trial=t, error="ValueError: no") for t in trials),
    )

    assert words(Comparison(standings=part))[-1] == (
        "9 trials of zeros with relu raised an error and have no result. ValueError: no"
    )


def test_parquet_holds_what_csv_holds(comparison, tmp_path):
    pd = pytest.importorskip("pandas")
    path = comparison.save(tmp_path / "out.parquet")
    frame = pd.read_parquet(path)

    assert len(frame) == comparison.standings.experiment.n_trials
    assert frame["test_accuracy"].max() == pytest.approx(0.952)
    assert frame["is_chosen"].sum() == 12 * 3


def test_a_net_of_a_single_layer_has_a_page_without_hidden_units():
    whole = make().standings

    def cut(run):
        one = {
            name: getattr(run.start, name)[-2 if "gradient" not in name else -1 :]
            for name in ("rms", "between", "gradient_rms", "weight_gradient_rms")
        }
        return dataclasses.replace(run, start=StartProfile(samples=(), **one))

    flat = dataclasses.replace(
        whole,
        results=tuple(dataclasses.replace(r, run=cut(r.run)) for r in whole.results),
        experiment=dataclasses.replace(whole.experiment, net="nets.py:linear"),
    )
    page = Comparison(standings=flat).to_html()

    assert "How large the gradient is" in page
    assert "What the units put out" not in page
    assert "Nets of nets.py:linear learn" in page


def test_an_interval_of_r2_reaches_below_0_and_one_of_accuracies_does_not():
    whole = make(seeds=(0, 1)).standings
    spread = {0: -0.6, 1: 0.5}
    wide = dataclasses.replace(
        whole,
        results=tuple(
            dataclasses.replace(
                r, run=dataclasses.replace(r.run, test_accuracy=spread[r.trial.seed])
            )
            for r in whole.results
        ),
    )
    squares = dataclasses.replace(wide, task="regression", guess=0.0)

    assert "0.000 to 1.000" in Comparison(standings=wide).table(width=160)
    assert "−7.038 to 1.000" in Comparison(standings=squares).table(width=160)

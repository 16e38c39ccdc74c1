"""Published models as their authors left them: no alarm but for true faults."""

from __future__ import annotations

import argparse

import pytest

from benchmarks import _real_looking as real
from benchmarks import healthy
from benchmarks._known_faults import KNOWN
from fanin.rules import Verdict

OPTIONS = argparse.Namespace(models=None, optimizer=None, precision=None, init=False)
EVERYDAY = {
    "transformers": ("gpt2", "xlnet"),
    "holdout": ("regnet",),
    "torch": ("mlp relu 3", "residual cnn batch norm 4"),
}
"""The rest is slow; NNX and Equinox are in the benchmark alone."""


def cases():
    """Give library and name; all but a few are slow."""
    for library, quick in EVERYDAY.items():
        for name in healthy.builders(library):
            is_quick = name in quick
            marks = () if is_quick else pytest.mark.slow
            yield pytest.param(library, name, id=name, marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("library", "name"), list(cases()))
def test_a_published_start_raises_no_alarm_but_for_what_is_wrong_with_it(library, name):
    made = healthy.case(library, healthy.builders(library)[name])
    report = healthy.checked(made, OPTIONS)
    alarms = {f.code for f in (*report.errors, *report.warnings)}

    assert alarms <= KNOWN.get(name, {}).keys(), str(report)
    if name not in KNOWN:
        assert report.verdict is Verdict.HEALTHY


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["t5"])
def test_a_true_fault_of_a_published_start_is_found(name):
    made = healthy.case("transformers", healthy.builders("transformers")[name])
    report = healthy.checked(made, OPTIONS)
    alarms = {f.code for f in (*report.errors, *report.warnings)}

    assert alarms & KNOWN[name].keys()


def test_words_come_with_the_frequencies_of_language():
    found = real.words((100, 100), 50)
    counts = [int((found == word).sum()) for word in (3, 4)]
    shares = [1.0 / k for k in range(1, 48)]
    expected = found.size / sum(shares)

    assert found.min() >= 3
    assert counts[0] == pytest.approx(expected, abs=5 * expected**0.5)
    assert counts[1] == pytest.approx(expected / 2, abs=5 * (expected / 2) ** 0.5)


def test_images_are_smooth_and_normalized():
    found = real.numbers((4, 3, 32, 32))
    steps = found[..., 1:] - found[..., :-1]

    assert abs(found.mean()) < 1e-6
    assert found.std() == pytest.approx(1.0, abs=1e-6)
    assert steps.var() < 1.0  # half of what independent numbers have

"""Recall is shown seed by seed, with its spread."""

from benchmarks.faults import tables
from benchmarks.faults.score import Outcome


def outcome(seed, *, is_found, is_root):
    return Outcome(
        base="mlp",
        fault="a fault",
        seed=seed,
        listed=("FAN101",) if is_found else (),
        is_found=is_found,
        is_root=is_root,
        is_sharp=is_root,
    )


def test_the_spread_is_the_standard_deviation_over_seeds(capsys):
    seen = [
        outcome(0, is_found=True, is_root=True),
        outcome(0, is_found=True, is_root=False),
        outcome(1, is_found=True, is_root=True),
        outcome(1, is_found=False, is_root=False),
    ]
    tables.by_seed(seen, is_markdown=True)
    rows = capsys.readouterr().out.splitlines()

    assert "| 0 | 2 | 100.0% | 50.0% |" in rows
    assert "| 1 | 2 | 50.0% | 50.0% |" in rows
    assert "| mean ± spread | 4 | 75.0% ± 35.4% | 50.0% ± 0.0% |" in rows


def test_one_seed_has_no_spread(capsys):
    tables.by_seed([outcome(0, is_found=True, is_root=True)], is_markdown=True)
    assert "spread" not in capsys.readouterr().out

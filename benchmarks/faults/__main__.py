"""Put faults into healthy models, check them, and print what was found."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.faults import __doc__ as about
from benchmarks.faults import tables
from benchmarks.faults.running import QUICK_STEP, known_of, outcomes_of
from benchmarks.faults.score import trials


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a seventh, one seed")
    parser.add_argument("--keep", type=Path, help="a file of outcomes, to go on from")
    parser.add_argument("--kept", action="store_true", help="make none, print those")
    parser.add_argument("--misses", action="store_true", help="list them too")
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    listed = trials(1 if chosen.quick else chosen.seeds, with_rivals=True)
    if chosen.quick:
        listed = listed[::QUICK_STEP]
    if chosen.kept:
        outcomes = known_of(listed, chosen.keep)
    else:
        outcomes = outcomes_of(listed, chosen.jobs, chosen.keep)
    for table in (
        tables.whole,
        tables.by_seed,
        tables.side_by_side,
        tables.by_fault,
        tables.by_base,
    ):
        table(outcomes, is_markdown=chosen.markdown)
    if chosen.misses:
        tables.misses(outcomes)


if __name__ == "__main__":
    main()

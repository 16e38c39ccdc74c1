"""Check every published case as it was and as it was mended, and print the table."""

from __future__ import annotations

import argparse
import warnings

from benchmarks._table import Table
from benchmarks.cases import __doc__ as about
from benchmarks.cases.case import Case, alarms
from benchmarks.cases.every import CASES


def row(case: Case) -> tuple[str, str, str, str, str, bool]:
    """Check one case: its number, title, what was expected, what came, if it holds."""
    broken = None if case.broken is None else alarms(case.broken())
    mended = None if case.mended is None else alarms(case.mended())
    is_found = broken is None or bool(case.codes & set(broken))
    is_silent = not mended
    return (
        f"{case.number}, [{case.title}]({case.source})"
        if case.source.startswith("http")
        else f"{case.number}, {case.title} ({case.source})",
        "–" if case.broken is None else " ".join(sorted(c[3:] for c in case.codes)),
        "–" if broken is None else " ".join(c[3:] for c in broken) or "nothing",
        "–" if mended is None else " ".join(c[3:] for c in mended) or "silent",
        "yes" if is_found and is_silent else "**no**",
        is_found and is_silent,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    head = ("case", "expected", "found", "mended", "holds")
    table = Table(head, is_markdown=chosen.markdown)
    n_held = 0
    for case in CASES:
        *cells, holds = row(case)
        n_held += holds
        table.row(*cells)
    table.close()
    print(f"{n_held} of {len(CASES)} hold.")


if __name__ == "__main__":
    main()

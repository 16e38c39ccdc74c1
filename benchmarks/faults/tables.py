"""The tables of a run: by fault, by base, and side by side with other tools."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median, stdev
from typing import TYPE_CHECKING

from benchmarks._table import Table
from benchmarks.faults.bases import BASES, is_held_out
from benchmarks.faults.injections import FAULTS
from benchmarks.faults.rivals import RIVALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.faults.score import Outcome

HELD_OUT = frozenset(base.name for base in BASES if is_held_out(base))
IN_TORCH = frozenset(base.name for base in BASES if base.framework == "torch")


def share(numbers: Iterable[bool]) -> str:
    """Give how many of how many hold: "12/12"."""
    counted = list(numbers)
    return f"{sum(counted)}/{len(counted)}" if counted else "–"


def percent(numbers: Iterable[bool]) -> str:
    """Give the share that hold, to a tenth of a percent."""
    counted = list(numbers)
    return f"{sum(counted) / len(counted):.1%}" if counted else "–"


def _both(numbers: Iterable[bool]) -> str:
    counted = list(numbers)
    return f"{share(counted)} ({percent(counted)})"


def whole(outcomes: Sequence[Outcome], *, is_markdown: bool) -> None:
    """Print recall, root causes and false alarms: mended by, held out, and all."""
    table = Table(
        ("part", "found", "root cause", "sharp", "listed", "false alarms"),
        is_markdown=is_markdown,
    )
    parts = {
        "bases that rules were mended by": [
            o for o in outcomes if o.base not in HELD_OUT
        ],
        "bases held out": [o for o in outcomes if o.base in HELD_OUT],
        "**all**": list(outcomes),
    }
    for name, part in parts.items():
        broken = [o for o in part if o.fault]
        healthy = [o for o in part if not o.fault]
        listed = [len(o.listed) for o in broken]
        table.row(
            name,
            _both(o.is_found for o in broken),
            _both(o.is_root for o in broken),
            percent(o.is_sharp for o in broken),
            f"{median(listed):g}" if listed else "–",
            share(bool(o.listed or o.trouble) for o in healthy),
        )
    table.close()


def by_seed(outcomes: Sequence[Outcome], *, is_markdown: bool) -> None:
    """Print a row a seed, and the spread over seeds as a standard deviation."""
    table = Table(("seed", "broken", "found", "root cause"), is_markdown=is_markdown)
    shares: list[tuple[float, float]] = []
    for seed in sorted({o.seed for o in outcomes}):
        broken = [o for o in outcomes if o.fault and o.seed == seed]
        if not broken:
            continue
        found = sum(o.is_found for o in broken) / len(broken)
        root = sum(o.is_root for o in broken) / len(broken)
        shares.append((found, root))
        table.row(seed, len(broken), f"{found:.1%}", f"{root:.1%}")
    if len(shares) > 1:
        spread = [f"{mean(s):.1%} ± {stdev(s):.1%}" for s in zip(*shares, strict=True)]
        table.row("mean ± spread", sum(bool(o.fault) for o in outcomes), *spread)
    table.close()


def by_fault(outcomes: Sequence[Outcome], *, is_markdown: bool) -> None:
    """Print a row a fault, and what is listed first where it is not found."""
    head = ("fault", "named by", "bases", "found", "root", "sharp", "else first")
    table = Table(head, is_markdown=is_markdown)
    for fault in FAULTS:
        its = [o for o in outcomes if o.fault == fault.name]
        if not its:
            continue
        wrong = Counter(o.listed[0] if o.listed else "–" for o in its if not o.is_root)
        table.row(
            fault.name,
            " ".join(sorted(code[3:] for code in fault.codes)),
            len({o.base for o in its}),
            share(o.is_found for o in its),
            share(o.is_root for o in its),
            share(o.is_sharp for o in its),
            ", ".join(f"{code} ×{n}" for code, n in wrong.most_common(3)),
        )
    table.close()


def by_base(outcomes: Sequence[Outcome], *, is_markdown: bool) -> None:
    """Print a row a base: faults found, and alarms on the base as it is."""
    head = ("base", "faults", "found", "root cause", "false alarms")
    table = Table(head, is_markdown=is_markdown)
    for base in BASES:
        its = [o for o in outcomes if o.base == base.name]
        broken = [o for o in its if o.fault]
        loud = [o for o in its if not o.fault and (o.listed or o.trouble)]
        codes = sorted({code for o in loud for code in o.listed})
        n_healthy = len(its) - len(broken)
        table.row(
            base.name + (" ◦" if base.name in HELD_OUT else ""),
            len({o.fault for o in broken}),
            share(o.is_found for o in broken),
            share(o.is_root for o in broken),
            f"{len(loud)}/{n_healthy} {' '.join(codes)}".strip(),
        )
    table.close()


def side_by_side(outcomes: Sequence[Outcome], *, is_markdown: bool) -> None:
    """Print what each tool raises an alarm on, over the torch bases of this run."""
    its = [o for o in outcomes if o.base in IN_TORCH]
    broken, healthy = [o for o in its if o.fault], [o for o in its if not o.fault]
    table = Table(
        ("tool, on torch bases", "alarm on broken", "alarm on healthy"),
        is_markdown=is_markdown,
    )
    table.row(
        "**fanin check**",
        percent(bool(o.listed) for o in broken),
        percent(bool(o.listed or o.trouble) for o in healthy),
    )
    for name in RIVALS:
        table.row(
            name,
            percent(name in o.rivals for o in broken),
            percent(name in o.rivals for o in healthy),
        )
    table.close()


def misses(outcomes: Sequence[Outcome]) -> None:
    """Print each check that missed, blamed something else, or raised."""
    for o in outcomes:
        if o.trouble or (o.fault and not o.is_root) or (not o.fault and o.listed):
            what = o.trouble or ("missed" if o.fault and not o.is_found else "blamed")
            print(f"{what}: {o.fault or 'healthy'}, {o.base}, {o.seed}: {o.listed}")

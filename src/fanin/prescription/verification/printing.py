"""A verification in words, and as JSON of schema ``fanin.verification/1``."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from fanin.prescription.verification.sample import RUN, power
from fanin.prescription.verification.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fanin.prescription.verification.records import Checked, Verification

SCHEMA: Final = "fanin.verification/1"
WIDTH: Final = 88
MOST: Final = 8
"""Parameters that are listed one by one, of those with one reason."""
SAME_SHARE: Final = 0.001

WORDS: Final = {
    Verdict.SAME: "hold the plan's bits",
    Verdict.ROUNDED: "hold the plan's numbers, cast once to {dtypes}",
    Verdict.CLOSE: "hold the plan's matrices, equal but for the rounding of a product",
}


def as_json(found: Verification) -> str:
    """Give the record as JSON text; numbers that are not finite become text."""
    head = {
        "schema": SCHEMA,
        "is_same": bool(found),
        "where": found.where,
        "fingerprint": found.fingerprint,
        "seed": found.seed,
        "sample": found.sample,
        "n_looked": found.n_looked,
        "unplanned": list(found.unplanned),
        "parameters": [_object(checked) for checked in found.checked],
    }
    return json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)


def _object(checked: Checked) -> dict[str, Any]:
    found = asdict(checked)
    for name in ("received", "expected"):
        number = found[name]
        if number is not None and not isfinite(number):
            found[name] = str(number)
    return found


def as_text(found: Verification) -> str:
    """Give the record in words: what differs first, what happened to it said once."""
    lines = _wrapped(_headline(found))
    for reason, those in _by_reason(found.different).items():
        lines += ["", *_wrapped(f"{reason[:1].upper()}{reason[1:]}:"), *_listed(those)]
    lines += ["", *_agreeing(found), *_skipped(found), *_unplanned(found)]
    if found.sample is not None:
        lines += _sampled(found)
    return "\n".join(lines)


def _by_reason(those: Iterable[Checked]) -> dict[str, list[Checked]]:
    found: dict[str, list[Checked]] = {}
    for checked in those:
        found.setdefault(checked.reason, []).append(checked)
    return found


def _headline(found: Verification) -> str:
    compared = [c for c in found.checked if c.verdict is not Verdict.SKIPPED]
    n_good = len(compared) - len(found.different)
    if not compared:
        says = "nothing could be compared with the plan"
    elif not found.different:
        says = f"the weights are the plan's, in all {_counted(len(compared))} compared"
    else:
        n_bad = len(found.different)
        says = f"{n_bad} of {_counted(len(compared))} are not the plan's"
        says += f" ({n_good} are)" if n_good else ""
    about = f"plan {found.fingerprint}, seed {found.seed}"
    return f"{found.where[:1].upper()}{found.where[1:]}: {says}; {about}."


def _listed(those: list[Checked]) -> Iterator[str]:
    for checked in those[:MOST]:
        head = f"{checked.path}  {_shape(checked)}"
        detail = f": {checked.detail}" if checked.detail else ""
        yield from textwrap.wrap(
            f"  {head}{detail}", WIDTH, subsequent_indent="    ", break_on_hyphens=False
        )
        if checked.first is not None:
            text = (
                f"{checked.n_different:,} of {checked.n_looked:,} looked at differ, "
                f"first {list(checked.first)}: {checked.received:.9g}, planned "
                f"{checked.expected:.9g}"
            )
            yield from _wrapped(text, indent="    ")
    n_more = len(those) - MOST
    if n_more > 0:
        yield f"  … and {n_more} more"


def _agreeing(found: Verification) -> Iterator[str]:
    for verdict, words in WORDS.items():
        those = found.of(verdict)
        if those:
            dtypes = ", ".join(sorted({checked.dtype for checked in those}))
            n_numbers = sum(checked.n_looked for checked in those)
            text = f"{_counted(len(those))} {words.format(dtypes=dtypes)}"
            yield from _wrapped(f"{text}: {n_numbers:,} numbers looked at.")


def _skipped(found: Verification) -> Iterator[str]:
    for reason, those in _by_reason(found.of(Verdict.SKIPPED)).items():
        paths = [checked.path for checked in those]
        yield from _wrapped(f"Skipped {_few(paths)}: {reason}.")


def _unplanned(found: Verification) -> Iterator[str]:
    if found.unplanned:
        yield from _wrapped(f"Not in the plan: {_few(list(found.unplanned))}.")


def _sampled(found: Verification) -> Iterator[str]:
    """Say what a sample can miss, where one was taken."""
    if all(c.n_looked in {0, c.size} for c in found.checked) or not found.sample:
        return
    share = power(found.sample, SAME_SHARE)
    yield from _wrapped(
        f"Of large parameters {found.sample:,} numbers were looked at: if one in "
        f"{1 / SAME_SHARE:,.0f} had changed, here and there, that would show with "
        f"probability {share:.0%}; if a {found.sample // (2 * RUN):,}th had, side by "
        "side, for certain."
    )


def _shape(checked: Checked) -> str:
    size = "×".join(map(str, checked.shape)) or "scalar"
    return f"{size} {checked.dtype}".rstrip()


def _counted(n_parameters: int) -> str:
    return f"{n_parameters:,} parameter" + ("" if n_parameters == 1 else "s")


def _few(paths: list[str], most: int = 4) -> str:
    dots = f", … ({len(paths)} in all)" if len(paths) > most else ""
    return ", ".join(paths[:most]) + dots


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )

"""Published faults of initial weights: found as they were, silent once mended."""

from __future__ import annotations

import pytest

from benchmarks.cases import innocent, scale, stuck, symmetric, unwritten
from benchmarks.cases.case import alarms

# Those that import a framework of their own are left to the slow run.
ELSEWHERE = {"16", "17", "18", "31", "26c"}
TORCH = [
    case
    for group in (stuck, symmetric, scale, unwritten, innocent)
    for case in group.CASES
]
FAULTY = [
    pytest.param(
        case,
        id=case.number,
        marks=[pytest.mark.slow] if case.number in ELSEWHERE else [],
    )
    for case in TORCH
    if case.broken
]
SOUND = [
    pytest.param(
        case,
        id=case.number,
        marks=[pytest.mark.slow] if case.number in ELSEWHERE else [],
    )
    for case in TORCH
    if case.mended
]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("case", FAULTY)
def test_a_published_fault_is_found_under_its_name(case):
    found = alarms(case.broken())

    assert case.codes & set(found), found


@pytest.mark.parametrize("case", SOUND)
def test_what_was_mended_or_never_broken_is_silent(case):
    assert alarms(case.mended()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", ["M1", "C3", "R6"])
def test_a_mutant_of_deepcrime_is_found_and_the_net_before_it_is_silent(number):
    from benchmarks.cases.mutants import CASES

    (case,) = [case for case in CASES if case.number == number]

    assert case.codes & set(alarms(case.broken()))
    assert alarms(case.mended()) == []


def test_every_case_has_a_number_of_its_own_and_a_source():
    assert len({case.number for case in TORCH}) == len(TORCH)
    assert all(case.source for case in TORCH)

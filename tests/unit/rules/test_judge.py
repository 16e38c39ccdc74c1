from __future__ import annotations

import pytest

from fanin.errors import UnknownNameError
from fanin.rules import RULES, Evidence, Finding, Severity, Verdict
from fanin.rules.judge import chosen_rules, split
from fanin.rules.judge import weigh as weigh_by
from fanin.rules.report import verdict_of


def finding(code, severity=Severity.WARNING, paths=("a",), **fields):
    return Finding(
        code=code,
        name=RULES[code].name,
        severity=severity,
        where="a",
        message="…",
        paths=paths,
        **fields,
    )


def weigh(found):
    return weigh_by(found, witnesses=found)


def test_a_sign_that_something_else_explains_is_no_witness():
    found = [finding("FAN201"), finding("FAN701", paths=("b",))]
    also = finding("FAN202", paths=("c",))

    assert {f.severity for f in weigh_by([*found, also], found)} == {Severity.INFO}


def test_one_witness_of_scale_alone_is_a_note():
    (weighed,) = weigh([finding("FAN201", Severity.ERROR)])

    assert weighed.severity is Severity.INFO


def test_two_witnesses_that_agree_are_left_as_they_are():
    found = [finding("FAN201"), finding("FAN301", Severity.ERROR)]

    assert weigh(found) == found


def test_two_findings_of_one_rule_are_one_witness():
    weighed = weigh([finding("FAN201"), finding("FAN201")])

    assert {f.severity for f in weighed} == {Severity.INFO}


def test_a_mismatch_with_the_activation_is_a_note_unless_scales_agree():
    lone = weigh([finding("FAN701"), finding("FAN201")])
    agreed = weigh([finding("FAN701"), finding("FAN201"), finding("FAN301")])

    assert {f.severity for f in lone} == {Severity.INFO}
    assert {f.severity for f in agreed} == {Severity.WARNING}


def test_a_rule_that_is_no_witness_is_not_weighed():
    found = [finding("FAN103", Severity.ERROR)]

    assert weigh(found) == found


def test_a_cause_hides_its_consequence():
    cause = finding("FAN101", Severity.ERROR)
    effect = finding("FAN402", Severity.ERROR, paths=("a", "b"))

    assert split([effect, cause]) == ([cause], [effect])


def test_a_cause_elsewhere_hides_nothing():
    cause = finding("FAN101", Severity.ERROR, paths=("a",))
    effect = finding("FAN402", Severity.ERROR, paths=("b",))

    assert split([effect, cause]) == ([effect, cause], [])


def test_a_finding_on_the_whole_model_hides_in_every_part():
    cause = finding("FAN203", paths=())
    effect = finding("FAN401", paths=("b",))

    assert split([effect, cause]) == ([cause], [effect])


def test_a_note_never_hides_an_error():
    cause = finding("FAN101", Severity.INFO)
    effect = finding("FAN402", Severity.ERROR)

    assert split([effect, cause]) == ([effect, cause], [])


def test_rules_are_chosen_by_the_beginning_of_a_code():
    assert {rule.code[:4] for rule in chosen_rules(["fan8"], None)} == {"FAN8"}


def test_what_is_ignored_is_not_chosen():
    chosen = {rule.name for rule in chosen_rules(None, ["twin-units", "FAN8"])}

    assert chosen == {
        rule.name
        for rule in RULES.values()
        if rule.name != "twin-units" and rule.code[:4] != "FAN8"
    }


@pytest.mark.parametrize("word", ["twin-unit", "FAN999", "FAN1011"])
def test_an_unknown_rule_is_named_with_the_nearest(word):
    with pytest.raises(UnknownNameError, match=f"There is no rule '{word}'. Did you"):
        chosen_rules([word], None)


@pytest.mark.parametrize(
    ("severity", "evidence", "verdict"),
    [
        (Severity.ERROR, Evidence.PROVED, Verdict.CANNOT_LEARN),
        (Severity.ERROR, Evidence.MEASURED, Verdict.WILL_STRUGGLE),
        (Severity.WARNING, Evidence.MEASURED, Verdict.WILL_STRUGGLE),
        (Severity.INFO, Evidence.PROVED, Verdict.HEALTHY),
    ],
)
def test_the_verdict_follows_the_worst_finding(severity, evidence, verdict):
    found = (finding("FAN103", severity, evidence=evidence),)

    assert verdict_of(found, has_run=True) is verdict


def test_without_a_run_nothing_is_called_healthy():
    assert verdict_of((), has_run=False) is Verdict.NOT_CHECKED


def test_wrong_weights_explain_the_signs_of_a_chain_if_they_are_half_of_it():
    chain = ("a", "b", "c", "d")
    signs = [
        finding("FAN202", Severity.ERROR, paths=chain),
        finding("FAN303", paths=chain),
    ]
    most, one = finding("FAN701", paths=chain[:2]), finding("FAN701", paths=chain[:1])
    causes, consequences = split([*signs, most])

    assert [(f.code, f.severity) for f in causes] == [("FAN701", Severity.ERROR)]
    assert [f.code for f in consequences] == ["FAN202", "FAN303"]
    assert split([*signs, one])[1] == []


def test_wrong_weights_are_mended_with_the_chain_that_they_explain():
    chain = ("a", "b", "c")
    sign = finding("FAN202", paths=chain, mends=(*chain, "bias"))
    (cause,) = split([sign, finding("FAN701", paths=("a", "b"))])[0]

    assert cause.mends == ("a", "b", "c", "bias")

"""`explain` over cases, nets, activations and losses; and what it refuses."""

import time

import pytest

from fanin.derivation import CASES, explain
from fanin.derivation.functions import NONLINEARITIES
from fanin.errors import ArgumentError, UnknownNameError

HIDDEN = [name for name, case in CASES.items() if case.has_hidden]
LINEAR = [name for name, case in CASES.items() if not case.has_hidden]


def statements(derivation):
    return {claim.statement: claim.holds for claim in derivation.claims}


@pytest.mark.parametrize("case", CASES)
def test_every_run_sees_what_the_proofs_say(case):
    derivation = explain(case)

    assert derivation.agrees


@pytest.mark.parametrize("case", CASES)
def test_every_line_of_every_proof_holds(case):
    lines = [line for claim in explain(case).claims for line in claim.proof.steps]

    assert lines
    assert all(line.holds for line in lines)


QUICK = {"relu", "tanh", "sigmoid", "leaky_relu"}
ACTIVATIONS = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in NONLINEARITIES
]
SLOW_BCE = pytest.param("bce", marks=pytest.mark.slow)


@pytest.mark.parametrize("loss", ["mse", SLOW_BCE])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", [c for c in HIDDEN if c not in {"A8", "B5"}])
def test_every_case_is_decided_for_every_activation(case, activation, loss):
    derivation = explain(case, activation=activation, loss=loss)

    assert derivation.agrees


@pytest.mark.parametrize("case", [c for c in HIDDEN if c not in {"A8", "B5"}])
@pytest.mark.parametrize("loss", ["mse", SLOW_BCE, "cce"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_a_deep_net_with_two_outputs_is_decided(case, loss, activation):
    derivation = explain(case, net="3-4-4-2", activation=activation, loss=loss)

    assert derivation.agrees


@pytest.mark.parametrize("case", LINEAR)
@pytest.mark.parametrize(
    ("net", "loss"), [("2-1", "mse"), ("3-1", "bce"), ("2-3", "cce")]
)
def test_a_linear_model_is_decided(case, net, loss):
    derivation = explain(case, net=net, loss=loss)

    assert derivation.agrees
    assert all(claim.holds for claim in derivation.claims)


@pytest.mark.parametrize(("net", "most"), [("2-2-1", 2.0), ("3-4-4-2", 5.0)])
def test_a_derivation_is_quick(net, most):
    explain("zero", net=net)
    begin = time.process_time()

    explain("constant", net=net, activation="gelu")

    assert time.process_time() - begin < most


def test_zero_says_that_the_output_bias_alone_moves():
    moves = {m.tensor: m.step for m in explain("zero").movements}

    assert moves == {"W1": None, "b1": None, "W2": None, "b2": 1}


def test_zero_refutes_the_three_wrong_reasons():
    found = statements(explain("zero"))

    assert found["W1, b1 and W2 never move."]
    assert not found["No parameter ever moves."]
    assert not found["The weights are stuck because the derivative of relu at 0 is 0."]
    assert not found["Dropout frees the all-zero net."]
    assert not found[
        "Zero weights never move because the loss is the same for y = 0 and y = 1."
    ]


def test_zero_with_sigmoid_moves_and_keeps_its_twins():
    derivation = explain("A3")
    found = statements(derivation)

    assert found["W2 and b2 first move at step 1."]
    assert found["W1 and b1 first move at step 2."]
    assert found["The hidden units stay equal to each other for ever."]
    assert not found["The net predicts one constant for every input, for ever."]


def test_a_sigmoid_net_wakes_from_the_last_layer_back():
    derivation = explain("zero", net="2-2-2-2-1", activation="sigmoid")

    assert [m.step for m in derivation.movements] == [4, 4, 3, 3, 2, 2, 1, 1]


def test_constant_ties_columns_and_not_rows():
    found = statements(explain("constant"))

    assert found["dL/dw₁₁ = dL/dw₁₂ at the start, for every input and target."]
    assert found["dL/dw₂₁ = dL/dw₂₂ at the start, for every input and target."]
    assert not found["dL/dw₁₁ = dL/dw₂₁ at the start, for every input and target."]
    assert not found["All elements of W1 stay equal to each other."]


def test_the_counterexample_of_the_textbook_has_unequal_inputs():
    claims = {c.statement: c for c in explain("constant").claims}
    values = claims["All elements of W1 stay equal to each other."].proof.values

    assert values["x₁"] != values["x₂"]


@pytest.mark.parametrize(("slope", "moves"), [(0, None), (0.5, 1), (1, 1)])
def test_the_slope_at_zero_decides_a_lone_zero_first_layer(slope, moves):
    derivation = explain("A7", slope_at_zero=slope)

    assert derivation.movements[0].step == moves


@pytest.mark.parametrize("slope", [0, 0.5, 1])
def test_the_slope_at_zero_plays_no_part_in_the_zero_start(slope):
    derivation = explain("A1", slope_at_zero=slope)

    assert [m.step for m in derivation.movements] == [None, None, None, 1]


def test_a_negative_hidden_bias_leaves_relu_locked():
    derivation = explain("A4", constant=-0.5)

    assert [m.step for m in derivation.movements] == [None, None, None, 1]


def test_only_the_duplicated_units_stay_equal():
    derivation = explain("B5", net="2-4-1", activation="tanh")

    assert derivation.ties[0].blocks == ((1, 2), (3,), (4,))


def test_a_start_can_be_given_array_by_array():
    derivation = explain("zero", start={"W1": "generic", "b1": 0.25})

    assert [m.step for m in derivation.movements] == [2, 2, 1, 1]


def test_a_wrong_case_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"case 'zeor'\. Did you mean 'zero'\?"):
        explain("zeor")


def test_a_wrong_case_lists_ids_words_and_schemes():
    with pytest.raises(UnknownNameError, match=r"A1.*B6.*constant.*glorot.*zero"):
        explain("nonsense")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"net": "2-2"}, "hidden layer"),
        ({"net": "2-1-1"}, "two hidden units"),
        ({"net": "two"}, "joined by"),
        ({"net": "100-100-1"}, "at most 6 layers, 9 units"),
        ({"net": "9-9-9-9-9"}, "200 parameters"),
        ({"loss": "cce"}, "two outputs or more"),
        ({"steps": 0}, "a count from 1 to 1000"),
        ({"rate": -1.0}, "above 0"),
        ({"constant": 1.0}, "has no constant"),
        ({"slope_at_zero": 2.0}, "from 0 to 1"),
        ({"start": {"W1": float("nan")}}, "finite number"),
    ],
)
def test_an_option_out_of_range_is_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        explain("zero", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "rleu"}, "Did you mean 'relu'"),
        ({"loss": "msr"}, "Did you mean 'mse'"),
        ({"start": {"W9": 0}}, "no array of this net 'W9'"),
        ({"start": {"W1": "zeros"}}, "Did you mean 'zero'"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(UnknownNameError, match=message):
        explain("zero", **options)


def test_a_run_that_overflows_is_refused():
    with pytest.raises(ArgumentError, match="stay finite"):
        explain("constant", constant=1e6, rate=1e6, steps=50)


@pytest.mark.parametrize("constant", [float("inf"), float("nan")])
def test_a_constant_that_is_no_number_is_refused(constant):
    with pytest.raises(ArgumentError, match="finite number"):
        explain("constant", constant=constant)


@pytest.mark.parametrize(
    ("activation", "loss", "mean"),
    [("sigmoid", "bce", "1/2"), ("tanh", "bce", "1/2"), ("softplus", "mse", "0")],
)
def test_a_balanced_batch_moves_nothing_and_is_a_saddle(activation, loss, mean):
    derivation = explain("A8", activation=activation, loss=loss)
    found = statements(derivation)

    assert derivation.agrees
    assert found[
        f"On a full batch with mean target {mean} nothing moves at all, not even the "
        "output bias."
    ]
    assert not found["That point is a minimum of the loss."]
    assert not found["On minibatches nothing moves either."]


def test_a_saddle_needs_a_second_derivative():
    with pytest.raises(ArgumentError, match="that has φ″"):
        explain("A8", activation="relu")


def test_a_run_is_long_enough_to_see_what_wakes_last():
    derivation = explain("A3", steps=1)

    assert derivation.run.n_steps == 2
    assert derivation.agrees


@pytest.mark.parametrize("net", ["2-2-3", "3-4-4-3", "2-3-2-4"])
@pytest.mark.parametrize("case", ["zero", "constant", "B2", "B3", "B4"])
def test_three_classes_are_decided(case, net):
    derivation = explain(case, net=net, activation="gelu", loss="cce")

    assert derivation.agrees


def test_equal_output_weights_under_softmax_hold_the_hidden_layer_for_one_step():
    derivation = explain("constant", net="2-2-3", activation="tanh", loss="cce")

    assert [m.step for m in derivation.movements] == [2, 2, 1, 1]

"""The constants of published depth policies, derived from what each one keeps."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
import sympy

from fanin.prescription.policies import deepnorm, fixup, sub_ln, t_fixup
from fanin.prescription.recipes.blocks import Blocks
from tests.unit.prescription.policies.streams import encoder_decoder, transformer

DEPTHS = [1, 6, 50]


def chains(graph):
    return {chain.side: chain for chain in Blocks(graph).chains.values()}


@pytest.mark.parametrize("n_layers", DEPTHS)
def test_deepnorm_bounds_what_one_step_changes(n_layers):
    """Σ over branches of (v² + w²)/α² = 1, and α²(v² + w²) = 1, with v = w = β."""
    chain = chains(transformer(n_layers, order="post"))["alone"]
    alpha, beta = deepnorm.alpha(chain), deepnorm.beta(chain)

    assert 2 * n_layers * 2 * beta**2 / alpha**2 == pytest.approx(1)
    assert alpha**2 * 2 * beta**2 == pytest.approx(1)
    assert (alpha, beta) == pytest.approx(
        ((2 * n_layers) ** 0.25, (8 * n_layers) ** -0.25)
    )


@pytest.mark.parametrize("n_layers", DEPTHS)
def test_deepnorm_bounds_a_decoder_likewise(n_layers):
    chain = chains(encoder_decoder(2, n_layers))["decoder"]
    alpha, beta = deepnorm.alpha(chain), deepnorm.beta(chain)

    assert 3 * n_layers * 2 * beta**2 / alpha**2 == pytest.approx(1)
    assert alpha == pytest.approx((3 * n_layers) ** 0.25)
    assert beta == pytest.approx((12 * n_layers) ** -0.25)


def test_the_constants_of_deepnorm_for_an_encoder_follow():
    """Σ_decoder (v·w/α) · Σ_encoder (v² + w²)/α² = 1, and α²(v² + w²) = 1.

    The encoder reaches the loss through the M cross-attentions of the decoder, each of
    which weighs it by v·w/α of its own.
    """
    n, m, alpha, beta = sympy.symbols("N M alpha beta", positive=True)
    through = m * ((12 * m) ** sympy.Rational(-1, 2)) / (3 * m) ** sympy.Rational(1, 4)
    conditions = [
        through * 2 * n * 2 * beta**2 / alpha**2 - 1,
        alpha**2 * 2 * beta**2 - 1,
    ]
    (found,) = sympy.solve(conditions, [alpha, beta], dict=True)
    growth = (n**4 * m) ** sympy.Rational(1, 16)

    a = sympy.simplify(found[alpha] / growth)
    b = sympy.simplify(found[beta] * growth)
    assert float(a) == pytest.approx(deepnorm.ENCODER_ALPHA, abs=0.005)
    assert float(b) == pytest.approx(deepnorm.ENCODER_BETA, abs=0.005)
    assert not a.free_symbols | b.free_symbols


@pytest.mark.parametrize("n_layers", DEPTHS)
def test_t_fixup_bounds_what_one_step_changes_in_a_decoder(n_layers):
    """Each of 3M branches adds v²w² + v²x² + w²x², all three of one size s."""
    blocks = Blocks(encoder_decoder(2, n_layers, order="free"))
    size = t_fixup.gain(blocks.by_path["d0.ff.up.weight"])

    assert 3 * n_layers * 3 * size**4 == pytest.approx(1)
    assert t_fixup.table_gain(blocks) == pytest.approx(size)


def test_the_constant_of_t_fixup_for_an_encoder_follows():
    """2N branches add v²w² + v²x² + w²x², with x = (9N)^−¼ from the embeddings."""
    square = sympy.symbols("s", positive=True)
    (root,) = sympy.solve(2 * (square**2 + 2 * square / 3) - 1, square)

    assert float(sympy.sqrt(root)) == pytest.approx(t_fixup.ENCODER, abs=0.005)


def test_sub_ln_grows_as_the_harmonic_sum_asks():
    """Σ_l (v² + w²)/Σ_{n≤l} v²w² = 2·H_B/γ²: log B in the limit, so γ² = log B."""
    ratios = []
    for n_layers in (8, 64):
        block = Blocks(transformer(n_layers)).all[0]
        harmonic = sum(1 / k for k in range(1, 2 * n_layers + 1))
        ratios.append(harmonic / sub_ln.gamma(block) ** 2)

    assert ratios[1] == pytest.approx(1, abs=0.15)
    assert abs(ratios[1] - 1) < abs(ratios[0] - 1)


def test_sub_ln_for_encoder_and_decoder():
    blocks = Blocks(encoder_decoder(3, 2, order="pre"))

    decoder = sub_ln.gamma(blocks.by_path["d0.ff.up.weight"])
    encoder = sub_ln.gamma(blocks.by_path["e0.ff.up.weight"])
    assert decoder**2 == pytest.approx(log(6))
    assert encoder**2 == pytest.approx(log(6) * log(6) / 3)


def branch_gradient(n_branches, n_inner, factor, generator):
    """Sum the squared gradients of a random read-out over all weights on branches.

    x + E·relu(W_m…relu(W_1 x)) with E = 0: only the E have gradients, each the product
    of its branch's hidden values and the read-out. It is what one step of gradient
    descent changes the output by, per unit of learning rate.
    """
    width, total = 64, 0.0
    x = generator.normal(size=(width, 1))
    for _ in range(n_branches):
        hidden = x
        for _ in range(n_inner):
            w = generator.normal(size=(width, width)) * np.sqrt(2 / width) * factor
            hidden = np.maximum(w @ hidden, 0)
        total += float((hidden**2).sum())
    return total / float((x**2).sum())


@pytest.mark.parametrize("n_inner", [1, 2, 3])
def test_fixup_changes_the_output_as_much_at_every_depth(n_inner):
    generator = np.random.default_rng(7)
    found = [
        branch_gradient(n, n_inner, fixup.branch_factor(n, n_inner + 1), generator)
        for n in (8, 32, 128)
    ]

    # relu after He's weight: E‖h‖² = ‖x‖²·factor^(2·n_inner) = ‖x‖²/L, a branch; the
    # ratio of each scatters by √(5/64) a weight (theory of finite widths)
    assert found == pytest.approx([1.0] * 3, rel=5 * np.sqrt(5 * n_inner / 64 / 8))
    without = branch_gradient(128, n_inner, 1.0, generator)
    assert without > 100


@pytest.mark.parametrize("n_branches", [4, 16, 64])
def test_a_stream_with_ends_over_root_l_stays_below_e(n_branches):
    """(1 + 1/L)^L < e, and the sampled stream follows it."""
    generator = np.random.default_rng(11)
    width, x = 256, generator.normal(size=(256, 64))
    start = float((x**2).mean())
    for _ in range(n_branches):
        w = generator.normal(size=(width, width)) * np.sqrt(2 / width)
        x = x + w @ np.maximum(x, 0) / np.sqrt(n_branches)
    growth = float((x**2).mean()) / start

    exact = (1 + 1 / n_branches) ** n_branches
    assert exact < exp(1)
    assert growth == pytest.approx(exact, rel=0.15)

"""Which array moves at which step, and do the two units stay equal: rows A to L.

The table is decided twice: by the symbolic pattern, and here by a loop of its own in
60-digit arithmetic, on three sets of generic data. Both must give the expected row.
"""

import mpmath
import pytest

from fanin.derivation.functions import NONLINEARITIES
from fanin.derivation.invariant import first_moves, refine
from fanin.derivation.losses import LOSSES
from fanin.derivation.net import Net
from fanin.derivation.start import BETA, start_from

NEVER = None
ROWS = {
    "A": {},
    "B": {"b1": BETA},
    "C": {"b1": "generic"},
    "D": {"W2": "generic"},
    "E": {"W1": "generic"},
    "F": {"W2": "constant"},
    "G": {"W": "constant", "b": "constant"},
    "H": {"W": "constant"},
    "I": {"W": "constant", "b1": "generic"},
    "J": {"W1": "constant", "W2": "generic"},
    "K": {"W1": "generic", "W2": "constant"},
    "L": {"W1": "constant"},
}
LOCKED = (NEVER, NEVER, NEVER, 1)
VANISHING = ("relu_1", "relu_half", "tanh", "elu", "gelu", "silu", "identity", "sin")
OFFSET = ("sigmoid", "softplus")
ALL = ("relu", "leaky_relu", *VANISHING, *OFFSET)


def expected(row, name):
    """W1, b1, W2, b2: the first step each; then whether the units stay equal."""
    equal = row in "ABFGHL"
    if row == "A" and name not in OFFSET:
        return LOCKED, equal
    if row in "DF":
        if name == "relu":
            return LOCKED, equal
        return ((1, 1, 1, 1) if name in OFFSET else (1, 1, 2, 1)), equal
    if row in "ABCEL":
        return (2, 2, 1, 1), equal
    return (1, 1, 1, 1), equal


def activation_of(name):
    if name.startswith("relu_"):
        return NONLINEARITIES["relu"].with_slope(0.5 if name == "relu_half" else 1)
    found = NONLINEARITIES[name]
    return found.with_slope(found.default_slope) if found.has_kink else found


def logistic(z):
    return 1 / (1 + mpmath.exp(-z))


FUNCTIONS = {
    "relu": (lambda z: max(z, 0), lambda z: int(z > 0)),
    "relu_half": (
        lambda z: max(z, 0),
        lambda z: mpmath.mpf(1) / 2 if z == 0 else int(z > 0),
    ),
    "relu_1": (lambda z: max(z, 0), lambda z: int(z >= 0)),
    "leaky_relu": (
        lambda z: z if z > 0 else z / 100,
        lambda z: 1 if z > 0 else mpmath.mpf(1) / 100,
    ),
    "tanh": (mpmath.tanh, lambda z: 1 - mpmath.tanh(z) ** 2),
    "elu": (
        lambda z: z if z > 0 else mpmath.expm1(z),
        lambda z: 1 if z > 0 else mpmath.exp(z),
    ),
    "gelu": (
        lambda z: z * mpmath.ncdf(z),
        lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z),
    ),
    "silu": (
        lambda z: z * logistic(z),
        lambda z: logistic(z) * (1 + z * (1 - logistic(z))),
    ),
    "identity": (lambda z: z, lambda z: 1),
    "sin": (mpmath.sin, mpmath.cos),
    "sigmoid": (logistic, lambda z: logistic(z) * (1 - logistic(z))),
    "softplus": (lambda z: mpmath.log(1 + mpmath.exp(z)), logistic),
}


def numbers(row, point):
    """Start of W1 (two units), b1, w2: a generic number where the row says random."""
    m = mpmath.mpf
    random = [
        m(17 + 6 * point) / 29,
        m(-11 + point) / 13,
        m(8) / (7 + point),
        m(3) / 19,
    ]
    constant = m(3 + point) / 7
    fills = ROWS[row]

    def fill(tensor, values):
        kind = fills.get(tensor, fills.get(tensor[0], "zero"))
        if kind == "zero":
            return [m(0)] * len(values)
        return list(values) if kind == "generic" else [constant] * len(values)

    w = fill("W1", random)
    b1 = fill("b1", [m(5) / 11, m(2) / 3])
    return [w[:2], w[2:]], b1, fill("W2", [m(9) / 17, m(4) / 5]), fill("b2", [m(0)])[0]


def exact_run(row, name, loss, point, n_steps=4):
    """First step at which W1, b1, w2, b2 move, and whether the units stay equal."""
    phi, slope = FUNCTIONS[name]
    data = [
        ((m_(3, 5), m_(-7, 11)), 1),
        ((m_(-2, 3), m_(13, 9)), 0),
        ((m_(8, 7), m_(1 + point, 3)), 1),
    ]
    w1, b1, w2, b2 = numbers(row, point)
    begin = flat(w1, b1, w2, b2)
    first, equal = [NEVER] * 4, True
    for step in range(1, n_steps + 1):
        g1, gb, g2, g0 = [[0, 0], [0, 0]], [0, 0], [0, 0], 0
        for x, y in data:
            z = [w1[j][0] * x[0] + w1[j][1] * x[1] + b1[j] for j in (0, 1)]
            h = [phi(value) for value in z]
            out = w2[0] * h[0] + w2[1] * h[1] + b2
            delta = 2 * (out - y) if loss == "mse" else logistic(out) - y
            g0 += delta
            for j in (0, 1):
                g2[j] += delta * h[j]
                back = delta * w2[j] * slope(z[j])
                gb[j] += back
                g1[j] = [g1[j][0] + back * x[0], g1[j][1] + back * x[1]]
        rate = m_(1, 10)
        w1 = [[w1[j][k] - rate * g1[j][k] for k in (0, 1)] for j in (0, 1)]
        b1 = [b1[j] - rate * gb[j] for j in (0, 1)]
        w2 = [w2[j] - rate * g2[j] for j in (0, 1)]
        b2 = b2 - rate * g0
        now = flat(w1, b1, w2, b2)
        first = [
            step if seen is NEVER and value != start else seen
            for seen, value, start in zip(first, now, begin, strict=True)
        ]
        equal = equal and w1[0] == w1[1] and b1[0] == b1[1] and w2[0] == w2[1]
    return tuple(first), equal


def m_(top, bottom):
    return mpmath.mpf(top) / bottom


def flat(w1, b1, w2, b2):
    return [tuple(map(tuple, w1)), tuple(b1), tuple(w2), b2]


def symbolic(row, name, loss):
    net = Net(widths=(2, 2, 1), activation=activation_of(name), loss=LOSSES[loss])
    start = start_from(net, ROWS[row])
    pattern = refine(net, start)
    moves = first_moves(net, start, pattern)
    steps = tuple(
        min((moves[e] for e in net.of(t) if moves[e]), default=NEVER)
        for t in net.tensors
    )
    return steps, len(pattern.twins(1)) == 1


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("row", ROWS)
def test_the_pattern_gives_the_row_of_the_truth_table(row, name, loss):
    assert symbolic(row, name, loss) == expected(row, name)


@pytest.mark.parametrize(
    "point",
    [
        0,
        pytest.param(1, marks=pytest.mark.slow),
        pytest.param(2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("row", ROWS)
def test_sixty_digit_steps_give_the_row_of_the_truth_table(row, name, loss, point):
    with mpmath.workdps(60):
        found = exact_run(row, name, loss, point)

    assert found == expected(row, name)

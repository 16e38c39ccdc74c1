"""The symbols of the scale derivations, and the assumptions that they stand on."""

from __future__ import annotations

import sympy

FAN_IN = sympy.Symbol(r"\mathrm{fan}_{\mathrm{in}}", positive=True)
FAN_OUT = sympy.Symbol(r"\mathrm{fan}_{\mathrm{out}}", positive=True)
VARIANCE = sympy.Symbol(r"\mathrm{Var}(w)", positive=True)
BOUND = sympy.Symbol(r"b", positive=True)
Q = sympy.Symbol("q", positive=True)
Z = sympy.Symbol("z", real=True)
SLOPE = sympy.Symbol(r"\alpha", positive=True)

SQUARE_Z = sympy.Symbol(r"E[z^2]", positive=True)
SQUARE_A = sympy.Symbol(r"E[a^2]", positive=True)
SQUARE_PHI = sympy.Symbol(r"E[\varphi^2]", positive=True)
SQUARE_SLOPE = sympy.Symbol(r"E[\varphi'^2]", positive=True)
SQUARE_DELTA = sympy.Symbol(r"E[\delta^2]", positive=True)
SQUARE_BELOW = sympy.Symbol(r"E[\delta_{\mathrm{below}}^2]", positive=True)

GAUSSIAN = (
    "z is a sum of many such terms, so it is taken as Gaussian with mean 0 and "
    "E[z²] = q; wide layers make that true."
)
ASSUMPTIONS = (
    "The weights are independent of each other, have mean 0 and variance Var(w).",
    "The weights are independent of what they multiply; the biases are 0.",
    GAUSSIAN,
    "Backward, the error δ = dL/dz is taken as independent of the weights and of z.",
)

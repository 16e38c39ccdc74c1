"""The nets of the lab: dense, in NumPy alone, small enough to follow a slider.

A `Recipe` says what is built; `draws` gives its weights, by the schemes' own formulas
and the sampler; `net` runs it forwards and backwards, `optimizers` takes a step,
`reading` looks at one moment, `trial` trains and keeps what was read.
"""

"""The sampler: (seed, parameter name, index) → the same bits everywhere."""

"""Deep nets, layer by layer: what scale does to the signal, measured beside theory."""

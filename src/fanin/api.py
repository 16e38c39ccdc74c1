"""The verbs: each wires the rooms of the house together and computes nothing itself."""

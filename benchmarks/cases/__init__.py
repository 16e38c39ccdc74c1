"""Published faults of initial weights, rebuilt: found as they were, silent once mended.

Run: ``python -m benchmarks.cases [--markdown]``. Each case is an issue, a question or a
mutant with its source; what stands there in TensorFlow 1 is rebuilt with the same
numbers in torch or Keras. It holds if the broken version gets an error or a warning of
an expected rule, and the mended version gets neither. Distractors and legitimate zeros
have no broken version: they must stay silent.
"""

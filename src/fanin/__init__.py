"""fanin decides, explains, checks and applies the initial weights of neural networks.

``import fanin`` loads no framework, no SymPy and no Numba: each arrives when needed.
"""

__version__ = "0.1.0"

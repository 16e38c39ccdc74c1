"""Theory: moments propagated through a Graph."""

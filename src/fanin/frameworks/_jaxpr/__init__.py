"""What JAX's frameworks share: a traced program as steps, recorded and measured."""

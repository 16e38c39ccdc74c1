"""What a TensorFlow model does: a traced graph as steps, recorded and measured."""

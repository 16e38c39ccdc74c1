"""Between Keras's tensors and NumPy's arrays, exactly and without a warning."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def to_numpy(tensor: Any) -> np.ndarray:
    """Copy a tensor of any backend, in its own dtype.

    ``keras.ops.convert_to_numpy`` does the same, but on torch and on TensorFlow
    through ``np.array(t)``, which NumPy 2 deprecates for their tensors (Keras 3.15.1,
    torch 2.13, TensorFlow 2.20).
    """
    if keras.backend.backend() == "tensorflow" and hasattr(tensor, "numpy"):
        return np.array(tensor.numpy())
    if keras.backend.backend() != "torch":
        return np.array(tensor)
    held = tensor.detach().cpu()
    if str(held.dtype) == "torch.bfloat16":
        return np.asarray(held.float().numpy()).astype(numpy_dtype("bfloat16"))
    return np.array(held.numpy())


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Give NumPy's dtype of that name; those that NumPy lacks come from ml_dtypes.

    >>> numpy_dtype("float32"), numpy_dtype("bfloat16").itemsize
    (dtype('float32'), 2)
    """
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return found

"""One thread a matrix product: the lab's are too small to be shared out.

With a thread on each core a slider on a busy machine costs ten times the processor time
(`python -m benchmarks lab`), most of it spent waiting for one another.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fanin.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Keep NumPy's products to one thread each, in this process, while it lasts.

    Raises:
        MissingDependencyError: if threadpoolctl is not installed.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="threadpoolctl", purpose="fanin lab", extra="web"
        ) from missing
    with threadpool_limits(limits=1, user_api="blas"):
        yield

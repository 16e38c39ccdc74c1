"""Work is shared by threads, and all of it is done or the error comes out."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fanin.sampler import threads
from fanin.sampler.threads import available_threads, run_all


def test_all_work_is_done_once():
    done = []
    run_all(((lambda i=i: done.append(i)) for i in range(100)), 4)

    assert sorted(done) == list(range(100))


def test_an_error_comes_out_when_no_thread_is_at_work_any_more():
    done = []

    def work(i):
        if i == 3:
            raise ValueError("the third")
        done.append(i)

    with pytest.raises(ValueError, match="the third"):
        run_all(((lambda i=i: work(i)) for i in range(50)), 3)

    assert len(done) == len(set(done))


def test_where_no_thread_starts_this_one_does_it_all(monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    done = []
    run_all(((lambda i=i: done.append(threading.get_ident())) for i in range(9)), 4)

    assert done == [threading.get_ident()] * 9


FORKING = """
import os
from fanin.sampler.threads import run_all
run_all(((lambda: None) for _ in range(4)), 2)
child = os.fork()
if child == 0:
    done = []
    run_all(((lambda i=i: done.append(i)) for i in range(20)), 3)
    os._exit(0 if sorted(done) == list(range(20)) else 1)
raise SystemExit(os.waitpid(child, 0)[1])
"""
# In a process of its own: a fork of this one would take JAX's threads along.


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_fork_has_threads_of_its_own():
    done = subprocess.run([sys.executable, "-c", FORKING], timeout=60, check=False)

    assert done.returncode == 0


@pytest.mark.parametrize(
    ("said", "cores", "expected"), [("1", 8, 1), ("16", 8, 8), ("", 8, 8), ("x", 8, 8)]
)
def test_threads_are_the_cores_or_fewer_if_openmp_is_told(
    monkeypatch, said, cores, expected
):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.delattr(threads.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: cores)

    assert available_threads() == expected


def test_there_is_at_least_one_thread():
    assert available_threads() >= 1

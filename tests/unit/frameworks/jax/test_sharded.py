"""Models of JAX and Keras on eight devices hold the bits of a model on one.

Devices are made when JAX starts, so the claims are tried in a process of their own.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "claims_in_keras.py"
TWO_HOSTS = Path(__file__).parent / "claims_on_two_hosts.py"
EVERYDAY = ("2x4",)
MORE = ("1x8", "8x1", "4x2")
ON_A_MESH = (
    "flax, arrays laid out",
    "flax, shapes of a mesh that is set",
    "flax, get_abstract_model",
    "a pair of shapes",
    "equinox",
    "a function under jit with out_shardings",
    "a matrix",
    "what is calibrated",
    "keras, model parallel,",
    "keras, calibrated, model parallel,",
)
ALWAYS = (
    "no device and no host holds the whole",
    "what several devices hold is drawn once",
    "another shape is refused, though each region would fit",
    "a mesh without devices is named",
    "without out_shardings the shapes' own are kept under jit",
    "axes of type Explicit are served too",
    "a spread model is verified where it lies",
    "keras, data parallel",
    "keras, calibrated, data parallel",
    "keras, no device holds the whole",
)


def tried(meshes):
    run = subprocess.run(
        [sys.executable, SCRIPT, *meshes],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def everyday():
    return tried(EVERYDAY)


@pytest.fixture(scope="module")
def more():
    return tried(MORE)


@pytest.mark.parametrize("name", [*(f"{name} on 2x4" for name in ON_A_MESH), *ALWAYS])
def test_on_eight_devices(everyday, name):
    assert everyday[name] is True


def test_every_claim_is_listed(everyday):
    listed = {*(f"{name} on 2x4" for name in ON_A_MESH), *ALWAYS}

    assert set(everyday) == listed


@pytest.mark.slow
@pytest.mark.parametrize("mesh", MORE)
@pytest.mark.parametrize("name", ON_A_MESH)
def test_on_another_mesh_of_eight_devices(more, name, mesh):
    assert more[f"{name} on {mesh}"] is True


@pytest.mark.slow
def test_two_hosts_share_a_model():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    hosts = [
        subprocess.Popen(
            [sys.executable, TWO_HOSTS, str(number), port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in (0, 1)
    ]
    said = [host.communicate(timeout=240) for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0], said
    first, second = (json.loads(out.strip().splitlines()[-1]) for out, _ in said)
    claims = ("is_same", "is_verified", "is_planned_again", "is_computed")

    assert first == second
    assert (first["n_devices"], first["n_here"]) == (8, 4)
    assert all(first[name] for name in claims)
    # Half of "first", and all of "last", which both hosts hold.
    assert first["n_looked"] == 16 * 32 // 2 + 32 * 8
    assert "different batches" in first["refused"]

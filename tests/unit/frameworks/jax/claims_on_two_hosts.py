"""What holds where two hosts of four devices share a model; prints one JSON a host.

Arguments: this host's number, and the port of the first.
"""

import json
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import fanin
from fanin.errors import BatchError

NUMBER, PORT = int(sys.argv[1]), sys.argv[2]
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(f"127.0.0.1:{PORT}", num_processes=2, process_id=NUMBER)


def apply(params, x):
    return jax.nn.relu(x @ params["first"]) @ params["last"]


MESH = Mesh(np.array(jax.devices()).reshape(2, 4), ("a", "b"))
LAID_OUT = {
    "first": NamedSharding(MESH, PartitionSpec("a", "b")),
    "last": NamedSharding(MESH, PartitionSpec("b")),
}
SHAPES = {"first": (16, 32), "last": (32, 8)}
SPREAD = {
    name: jax.ShapeDtypeStruct(shape, jnp.float32, sharding=LAID_OUT[name])
    for name, shape in SHAPES.items()
}
X = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
found = {"n_devices": jax.device_count(), "n_here": jax.local_device_count()}

plan = fanin.plan((apply, SPREAD))
found["seed"] = plan.seed
made = fanin.apply(plan, (apply, SPREAD))
alone = fanin.apply(plan, (apply, {n: jnp.zeros(s) for n, s in SHAPES.items()}))[1]
found["is_same"] = all(
    np.array_equal(shard.data, np.asarray(alone[name])[shard.index])
    for name, array in made[1].items()
    for shard in array.addressable_shards
)
checked = fanin.verify(made, plan, sample=None)
found["is_verified"] = bool(checked)
found["n_looked"] = checked.n_looked
again = fanin.plan(made, seed=plan.seed)
found["is_planned_again"] = again.fingerprint == plan.fingerprint

function = fanin.init_fn(plan, (apply, SPREAD))
computed = jax.jit(function, out_shardings=LAID_OUT)()
found["is_computed"] = all(
    np.array_equal(shard.data, np.asarray(alone[name])[shard.index])
    for name, array in computed.items()
    for shard in array.addressable_shards
)
found["fingerprint"] = plan.fingerprint
try:
    fanin.plan((apply, alone), X + NUMBER, seed=0)
except BatchError as error:
    found["refused"] = str(error)

sys.stdout.write(f"\n{json.dumps(found)}\n")

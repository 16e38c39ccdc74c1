"""What holds of JAX's models on eight devices, as claims by name.

``claims_in_keras.py`` runs it, in a process of its own, and prints the claims. The
meshes are named by arguments: 2x4.
"""

import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import fanin
from fanin.errors import FaninError
from fanin.frameworks import jax as framework
from fanin.graph.draws import Draw
from fanin.graph.region import Region

X = jnp.asarray(np.random.default_rng(0).normal(size=(16, 16)), jnp.float32)
Y = jnp.asarray(np.random.default_rng(1).normal(size=(16, 8)), jnp.float32)
SHAPES = tuple(tuple(map(int, word.split("x"))) for word in sys.argv[1:])
SPECS = {
    "first.kernel": PartitionSpec(None, "b"),
    "first.bias": PartitionSpec("b"),
    "last.kernel": PartitionSpec("b", "a"),
    "last.bias": PartitionSpec(),
}
COLLECTIVES = ("all-gather", "all-reduce", "all-to-all", "collective-permute")
claims = {}


def claim(name):
    def run(check):
        try:
            claims[name] = check() or True
        except Exception as error:
            claims[name] = f"{type(error).__name__}: {error}"

    return run


def require(truth, *found):
    assert truth, found


def mesh_of(shape):
    return Mesh(np.array(jax.devices()).reshape(shape), ("a", "b"))


class Flax(nnx.Module):
    def __init__(self, rngs, *, is_laid_out=True):
        def laid_out(*axes):
            init = nnx.initializers.normal()
            return nnx.with_partitioning(init, axes) if is_laid_out else init

        self.first = nnx.Linear(
            16, 32, kernel_init=laid_out(None, "b"), bias_init=laid_out("b"), rngs=rngs
        )
        self.last = nnx.Linear(32, 8, kernel_init=laid_out("b", "a"), rngs=rngs)
        self.noise = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.last(self.noise(nnx.relu(self.first(x))))


class Equinox(eqx.Module):
    first: eqx.nn.Linear
    last: eqx.nn.Linear

    def __call__(self, x):
        return self.last(jax.nn.relu(self.first(x)))


def equinox():
    keys = jax.random.split(jax.random.key(0))
    return Equinox(
        eqx.nn.Linear(16, 32, key=keys[0]), eqx.nn.Linear(32, 8, key=keys[1])
    )


def apply(params, x):
    hidden = jax.nn.relu(x @ params["first"]["kernel"] + params["first"]["bias"])
    return hidden @ params["last"]["kernel"] + params["last"]["bias"]


def params(make):
    shapes = {
        "first": {"kernel": (16, 32), "bias": (32,)},
        "last": {"kernel": (32, 8), "bias": (8,)},
    }
    return {
        layer: {name: make(f"{layer}.{name}", shape) for name, shape in held.items()}
        for layer, held in shapes.items()
    }


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


def state(model):
    return nnx.state(model, nnx.Param)


def layouts(tree):
    return [leaf.sharding for leaf in jax.tree.leaves(tree)]


def plain_flax():
    return Flax(nnx.Rngs(0), is_laid_out=False)


FLAX = plain_flax()
FLAX_PLAN = fanin.init(FLAX, seed=3)
FLAX_BITS = bits(state(FLAX))
PAIR = (apply, params(lambda _, shape: jnp.zeros(shape)))
PAIR_PLAN = fanin.plan(PAIR, X, seed=3)
PAIR_BITS = bits(fanin.apply(PAIR_PLAN, PAIR)[1])
EQUINOX_PLAN = fanin.plan(equinox(), seed=3)
EQUINOX_BITS = bits(eqx.filter(fanin.apply(EQUINOX_PLAN, equinox()), eqx.is_array))


for shape in SHAPES:
    mesh = mesh_of(shape)
    on = f"on {shape[0]}x{shape[1]}"

    @claim(f"flax, arrays laid out {on}")
    def _(mesh=mesh):
        with jax.set_mesh(mesh):
            model = Flax(nnx.Rngs(1))
            before = layouts(state(model))
            fanin.init(model, seed=3)
        require(bits(state(model)) == FLAX_BITS)
        require(layouts(state(model)) == before, before)
        require(before[1].spec == PartitionSpec(None, "b"), before)

    @claim(f"flax, shapes of a mesh that is set {on}")
    def _(mesh=mesh):
        with jax.set_mesh(mesh):
            model = nnx.eval_shape(lambda: Flax(nnx.Rngs(1)))
            nnx.reseed(model, default=0)
            fanin.init(model, seed=3)
            require(model(X).shape == (16, 8))
        require(bits(state(model)) == FLAX_BITS)
        require(layouts(state(model))[3].spec == PartitionSpec("b", "a"))

    @claim(f"flax, get_abstract_model {on}")
    def _(mesh=mesh):
        model = nnx.merge(*nnx.get_abstract_model(lambda: Flax(nnx.Rngs(1)), mesh))
        nnx.reseed(model, default=0)
        fanin.init(model, seed=3)
        require(bits(state(model)) == FLAX_BITS)
        require(layouts(state(model))[1].spec == PartitionSpec(None, "b"))

    @claim(f"a pair of shapes {on}")
    def _(mesh=mesh):
        laid_out = params(
            lambda path, size: jax.ShapeDtypeStruct(
                size, jnp.float32, sharding=NamedSharding(mesh, SPECS[path])
            )
        )
        made = fanin.apply(PAIR_PLAN, (apply, laid_out))[1]
        require(bits(made) == PAIR_BITS)
        require(layouts(made) == layouts(laid_out))

    @claim(f"equinox {on}")
    def _(mesh=mesh):
        laid_out = jax.tree.map(
            lambda leaf: jax.device_put(leaf, NamedSharding(mesh, PartitionSpec("b"))),
            eqx.filter(equinox(), eqx.is_array),
        )
        made = fanin.apply(EQUINOX_PLAN, eqx.combine(laid_out, equinox()))
        arrays = eqx.filter(made, eqx.is_array)
        require(bits(arrays) == EQUINOX_BITS)
        require(layouts(arrays) == layouts(laid_out))

    @claim(f"a function under jit with out_shardings {on}")
    def _(mesh=mesh):
        shardings = params(lambda path, _: NamedSharding(mesh, SPECS[path]))
        init_fn = fanin.init_fn(PAIR_PLAN, PAIR)
        compiled = jax.jit(init_fn, out_shardings=shardings).lower().compile()
        made = compiled()
        require(bits(made) == PAIR_BITS)
        require(layouts(made) == jax.tree.leaves(shardings))
        spoken = [word for word in COLLECTIVES if word in compiled.as_text()]
        require(not spoken, spoken)

    @claim(f"a matrix {on}")
    def _(mesh=mesh):
        plan = fanin.plan(PAIR, seed=3, scheme="orthogonal")
        whole = fanin.apply(plan, PAIR)[1]
        shardings = params(lambda path, _: NamedSharding(mesh, SPECS[path]))
        laid_out = (apply, jax.tree.map(jax.device_put, PAIR[1], shardings))
        require(bits(fanin.apply(plan, laid_out)[1]) == bits(whole))
        made = jax.jit(fanin.init_fn(plan, PAIR), out_shardings=shardings)()
        require(bits(made) == bits(whole))

    @claim(f"what is calibrated {on}")
    def _(mesh=mesh):
        shardings = params(lambda path, _: NamedSharding(mesh, SPECS[path]))
        laid_out = (apply, jax.tree.map(jax.device_put, PAIR[1], shardings))
        plan = fanin.plan(laid_out, X, "mse", Y, seed=3)
        require(plan.fingerprint == fanin.plan(PAIR, X, "mse", Y, seed=3).fingerprint)


MESH = mesh_of((2, 4))


class Spy(Draw):
    """Ones; it remembers which regions were asked for, and the largest array alive."""

    def __init__(self, shape):
        self.whole, self.regions, self.largest = shape, [], 0

    @property
    def shape(self):
        return self.whole

    def __call__(self, index):
        return np.ones(self.whole if index is None else len(index), np.float32)

    def prepared(self, out, region=None):
        self.regions.append(region or Region.all(self.whole))
        alive = [s.data.nbytes for a in jax.live_arrays() for s in a.addressable_shards]
        self.largest = max(self.largest, out.nbytes, *alive)
        return lambda: out.fill(1.0)


@claim("no device and no host holds the whole")
def _():
    shape, spec = (4096, 512), PartitionSpec(("a", "b"))
    laid_out = jax.ShapeDtypeStruct(
        shape, jnp.float32, sharding=NamedSharding(MESH, spec)
    )
    spy = Spy(shape)
    framework.write((apply, {"w": laid_out}), {"w": spy})
    require({region.shape for region in spy.regions} == {(512, 512)}, spy.regions)
    require(spy.largest == 512 * 512 * 4, spy.largest)


@claim("what several devices hold is drawn once")
def _():
    shape = (8, 8)
    laid_out = jax.ShapeDtypeStruct(
        shape, jnp.float32, sharding=NamedSharding(MESH, PartitionSpec("a"))
    )
    spy = Spy(shape)
    made = framework.write((apply, {"w": laid_out}), {"w": spy})[1]["w"]
    require([r.start for r in spy.regions] == [(0, 0), (4, 0)], spy.regions)
    require(len(made.sharding.device_set) == 8)


@claim("another shape is refused, though each region would fit")
def _():
    laid_out = jax.ShapeDtypeStruct(
        (8, 8), jnp.float32, sharding=NamedSharding(MESH, PartitionSpec("a"))
    )
    try:
        framework.write((apply, {"w": laid_out}), {"w": Spy((16, 8))})
    except FaninError as error:
        require("(8, 8)" in str(error) and "(16, 8)" in str(error), str(error))
    else:
        require(truth=False)


@claim("a mesh without devices is named")
def _():
    with jax.set_mesh(MESH):
        model = nnx.eval_shape(lambda: Flax(nnx.Rngs(1)))
    nnx.reseed(model, default=0)
    try:
        fanin.apply(FLAX_PLAN, model)
    except FaninError as error:
        require("jax.set_mesh(mesh)" in str(error), str(error))
    else:
        require(truth=False)


@claim("without out_shardings the shapes' own are kept under jit")
def _():
    model = nnx.merge(*nnx.get_abstract_model(lambda: Flax(nnx.Rngs(1)), MESH))
    made = jax.jit(fanin.init_fn(FLAX_PLAN, model))()
    require(bits(made) == FLAX_BITS)
    require(layouts(made)[1].spec == PartitionSpec(None, "b"), layouts(made))


@claim("axes of type Explicit are served too")
def _():
    kinds = (jax.sharding.AxisType.Explicit,) * 2
    mesh = jax.make_mesh((2, 4), ("a", "b"), axis_types=kinds)
    with jax.set_mesh(mesh):
        model = nnx.eval_shape(lambda: Flax(nnx.Rngs(1)))
        made = jax.jit(fanin.init_fn(FLAX_PLAN, model))()
        nnx.reseed(model, default=0)
        fanin.apply(FLAX_PLAN, model)
    require(bits(state(model)) == FLAX_BITS)
    require(bits(made) == FLAX_BITS)
    require(layouts(made)[1].spec == PartitionSpec(None, "b"), layouts(made))
    require(layouts(state(model))[1].spec == PartitionSpec(None, "b"))


@claim("a spread model is verified where it lies")
def _():
    with jax.set_mesh(MESH):
        model = Flax(nnx.Rngs(1))
        plan = fanin.init(model, seed=3)
        require(bool(fanin.verify(model, plan)), str(fanin.verify(model, plan)))
        kernel = model.last.kernel
        kernel.set_value(kernel.get_value().at[20:24].mul(2.0))
    found = fanin.verify(model, plan).different
    require([each.path for each in found] == ["last.kernel"], str(found))
    require("20 to 23 of axis 0" in found[0].detail, found[0].detail)

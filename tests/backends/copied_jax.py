"""Copied code on JAX, as the oracle is shown it: text of the file -> adapter."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from backends.clones import defined

from minisam.oracle import Unsupported


def now(hp: Any, name: str, count: int) -> Any:
    """Return ``lr`` or ``rho`` of a step."""
    return hp[name](count) if name in hp.scheduled else hp[name]


def on_jax(step: Callable[..., Any]) -> Any:
    """Return the adapter of ``step(hp, count, weights, state, loss) -> weights, state`` in JAX."""

    def adapter(params, hp):
        import jax
        import jax.numpy as jnp

        def precision():
            return jax.enable_x64(True) if hp["dtype"] == "float64" else nullcontext()

        with precision():
            weights = [jnp.asarray(one, hp["dtype"]) for one in params]
        state, count = None, 0

        def run(grad_fn):
            nonlocal weights, state, count

            def ask(at):
                return [jnp.asarray(g) for g in grad_fn([np.array(w) for w in at])]

            with precision():
                weights, state = step(hp, count, weights, state, asking_loss(ask))
                count += 1
                return [np.array(one) for one in weights]

        return run

    adapter.dtypes = ("float64", "float32")
    return adapter


def asking_loss(ask: Callable[[list], list]) -> Any:
    """Return a loss in JAX that asks for its gradient."""
    import jax
    import jax.numpy as jnp

    loss = jax.custom_vjp(lambda weights: jnp.ones((), weights[0].dtype))
    loss.defvjp(
        lambda weights: (loss(weights), weights),
        lambda weights, upstream: ([upstream * g for g in ask(weights)],),
    )
    return loss


def old_jax(**more: Any) -> SimpleNamespace:
    """Return JAX with the names that it had."""
    import jax

    tree = jax.tree_util
    names = {"tree_map": tree.tree_map, "tree_multimap": tree.tree_map}
    names |= {"tree_leaves": tree.tree_leaves, "tree_util": tree, "tree": jax.tree}
    return SimpleNamespace(value_and_grad=jax.value_and_grad, **{**names, **more})


def google_research(text: str, clipping: float = 0.0) -> Any:
    import jax
    import jax.numpy as jnp
    import optax

    flags = SimpleNamespace(
        sam_rho=0.0, gradient_clipping=clipping, sync_perturbations=False,
        no_weight_decay_on_bn=False,
    )  # fmt: skip
    nn = SimpleNamespace(stateful=nullcontext, stochastic=nullcontext)
    train_step, *_ = defined(
        text, "train_step", "dual_vector", "clip_by_global_norm", "global_norm", jnp=jnp,
        jax=old_jax(lax=SimpleNamespace(pmean=lambda one, axis: one)), FLAGS=flags,
        flax=SimpleNamespace(nn=nn), cross_entropy_loss=lambda logits, labels: logits,
        error_rate_metric=lambda logits, labels: logits,
    )  # fmt: skip

    class Model(NamedTuple):
        params: list

        def __call__(self, image, train, true_gradient=True):
            return self.loss(self.params)

    def step(hp, count, weights, state, loss):
        if hp["weight_decay"] and hp["decay"] != "in_loss":
            raise Unsupported("it has its weight decay in the loss")
        flags.sam_rho, Model.loss = now(hp, "rho", count), staticmethod(loss)
        base = optax.trace(hp["momentum"], hp["nesterov"]) if hp["momentum"] else optax.identity()
        model = Model(weights)

        def apply_gradient(gradient, learning_rate):
            change, new = base.update(gradient, base.init(model) if state is None else state)
            target = jax.tree.map(lambda w, c: w - learning_rate * c, model, change)
            return SimpleNamespace(target=target, state=new)

        optimizer = SimpleNamespace(
            target=model, state=SimpleNamespace(step=count), apply_gradient=apply_gradient
        )
        batch = {"image": None, "label": None}

        def rate(count):
            return now(hp, "lr", count)

        new, *_ = train_step(optimizer, {}, batch, None, rate, hp["weight_decay"])
        return new.target.params, new.state

    return on_jax(step)


def google_research_clipping(text: str) -> Any:
    return google_research(text, clipping=5.0)


def outer(hp: Any, count: int) -> Any:
    """Return the base optimizer of a step, in Optax."""
    import optax

    if hp["weight_decay"] and hp["decay"] != "coupled":
        raise Unsupported("Optax's is coupled")
    decay = optax.add_decayed_weights(hp["weight_decay"])
    return optax.chain(
        decay, optax.sgd(now(hp, "lr", count), hp["momentum"] or None, hp["nesterov"])
    )


def big_vision(text: str) -> Any:
    import jax.numpy as jnp
    import optax

    gsam_gradient, _ = defined(text, "gsam_gradient", "dual_vector", jax=old_jax(), jnp=jnp)

    def step(hp, count, weights, state, loss):
        base, rho = outer(hp, count), now(hp, "rho", count)
        given = dict(adaptive_perturbation=hp["method"] == "asam")

        def at(weights, inputs, targets):
            return loss(weights)

        alpha = hp["alpha"] if hp["method"] == "gsam" else 0.0
        _, gradient = gsam_gradient(at, weights, None, None, rho, rho, alpha, 1, 1, 1, **given)
        change, state = base.update(gradient, state or base.init(weights), weights)
        return optax.apply_updates(weights, change), state

    return on_jax(step)


def init2winit(text: str) -> Any:
    import jax
    import jax.numpy as jnp
    import optax

    def squares(tree, _):
        return sum(jnp.sum(x**2) for x in jax.tree.leaves(tree))

    make, _ = defined(
        text, "sharpness_aware_minimization", "dual_vector", jax=jax, jnp=jnp, optax=optax,
        model_utils=SimpleNamespace(l2_regularization=squares),
    )  # fmt: skip

    def step(hp, count, weights, state, loss):
        base, ask = outer(hp, count), jax.value_and_grad(loss)
        sam = make(now(hp, "rho", count), None, base.init, base.update)
        state = state or sam.init(weights)
        change, state = sam.update(ask(weights)[1], state, (ask, weights))
        return optax.apply_updates(weights, change), state

    return on_jax(step)

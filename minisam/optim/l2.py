"""Weight decay as part of the loss, where SAM's climb sees it too."""

from __future__ import annotations

from minisam.checks import check_number
from minisam.optim.optimizer import ValueAndGrad
from minisam.trees import Params, add_scaled, inner


def add_l2(value_and_grad: ValueAndGrad, weight_decay: float) -> ValueAndGrad:
    """Add ½λ‖w‖² to a loss, and so λw to every gradient of it.

    For SGD this equals ``sgd(weight_decay=λ)``. For SAM it does not: decay in the loss tilts d1,
    and is taken at B in d2, whereas decay of the base update is taken at A alone. The paper's
    authors decay in the loss, most PyTorch implementations in the base update.

    Args:
        value_and_grad: ``params -> (loss, grads)`` or ``(loss, grads, auxiliary)``.
        weight_decay: λ ≥ 0.

    Returns:
        The function with the same result, decay included, also in the Hessian products (H + λI)
        and the shards that ``value_and_grad`` may carry.

    Example:
        >>> import numpy as np
        >>> flat = lambda w: (0.0, {"w": np.zeros(1)})
        >>> loss, grads = add_l2(flat, 0.5)({"w": np.array([4.0])})
        >>> float(loss), grads["w"]
        (4.0, array([2.]))
    """
    weight_decay = check_number("weight_decay", weight_decay, open_high=True)

    def decayed(params: Params) -> tuple:
        loss, grads, *auxiliary = value_and_grad(params)
        loss = loss + 0.5 * weight_decay * inner(params, params)
        return loss, add_scaled(grads, weight_decay, params), *auxiliary

    product = getattr(value_and_grad, "hessian_product", None)
    if product is not None:
        vars(decayed)["hessian_product"] = lambda w, v: add_scaled(product(w, v), weight_decay, v)
    shards = getattr(value_and_grad, "shards", None)
    if shards is not None:
        each = [add_l2(shard, weight_decay) for shard in shards]
        vars(decayed).update(shards=each, sizes=getattr(value_and_grad, "sizes", None))
    return decayed

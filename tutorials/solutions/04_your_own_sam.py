# %% [markdown]
# # Write your own SAM: answers
#
# Each cell replaces the one of the same name in `04_your_own_sam`.
#
# **Level 1.**


# %% tags=["exercise-1"]
def my_step(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    length = np.sqrt(sum(np.sum(g**2) for g in d1))
    b = [x + rho * g / length for x, g in zip(w, d1, strict=True)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


# %% [markdown]
# **Level 2.** One norm over all tensors, and no climb where there is no gradient.


# %% tags=["exercise-2"]
def any_step(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)  # at A
    length = np.sqrt(sum(np.sum(g**2) for g in d1))  # ‖d1‖ over all tensors
    climb = rho / length if length > 0 else 0.0
    b = [x + climb * g for x, g in zip(w, d1, strict=True)]  # B = A + ρ d1/‖d1‖
    d2 = grad_fn(b)  # at B
    return [x - lr * g for x, g in zip(w, d2, strict=True)]  # from A


# %% [markdown]
# **Level 3.** No norm is needed: the largest ⟨ε, d1⟩ with |εᵢ| ≤ ρ has εᵢ = ρ sign(d1ᵢ).


# %% tags=["exercise-3"]
def sign_step(w, grad_fn, *, rho, lr, p):
    d1 = grad_fn(w)
    d2 = grad_fn([x + rho * np.sign(g) for x, g in zip(w, d1, strict=True)])
    return [x - lr * g for x, g in zip(w, d2, strict=True)]

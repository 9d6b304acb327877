"""What readers of the tutorials answer: wrongly, and rightly in another way than the solution.

By tutorial and by the cell that is filled in. A check has to refuse every wrong one, and to take
every right one: numbers rounded to three digits, lists for arrays, other words for a sum.
"""

SAM_STEP = """
def {name}(w, grad_fn, *, rho, lr{more}):
    d1 = grad_fn(w)
    length = sum(float((g * g).sum()) for g in d1) ** 0.5
    b = [x + {climb} for x, g in zip(w, d1)]
    d2 = grad_fn(b)
    return [x - lr * g for x, g in zip({start}, d2)]
"""


def step(name, climb="rho * g / (length + 1e-12)", start="w", more=""):
    return SAM_STEP.format(name=name, climb=climb, start=start, more=more)


SAM_BY_HAND = """
def sam_step(w, gradient, rho, lr):
    d1 = gradient(w)
    length = np.sqrt(d1 @ d1)
    return {end} if length > 0 else w
"""

IN_PLACE = """
def sam_step(w, gradient, rho, lr):
    climb = gradient(w)
    climb *= rho / (np.linalg.norm(climb) or 1)
    w += climb
    w -= climb + lr * gradient(w)
    return list(w)
"""

WRONG = {
    "01": {
        "by-hand": [
            "by_hand_sharp, by_hand_flat = 0.25, 0.015625",
            "by_hand_sharp, by_hand_flat = 0.5, 0.0312",
            "by_hand_sharp, by_hand_flat = 0.175, 0.125",
        ],
        "exercise-1": [
            "gap = lambda curvature, shift: curvature * shift**2",
            "gap = lambda curvature, shift: curvature * abs(shift) / 2",
        ],
        "exercise-2": ["ten_times = -(0.6**0.5)", "ten_times = 0.6"],
        "exercise-3": ["lr_that_leaves = 0.5", "lr_that_leaves = 8.0"],
    },
    "02": {
        "by-hand": ["your_d1 = (4, -2)", "your_b = (-2, 6)", "your_end = (0.25, 1.5)"],
        "exercise-1": [
            SAM_BY_HAND.format(end="w - gradient(w + d1 / length) / 8"),
            SAM_BY_HAND.format(end="w - lr * gradient(w + rho * d1)"),
            SAM_BY_HAND.format(end="w + rho * d1 / length - lr * gradient(w + rho * d1 / length)"),
        ],
        "exercise-2": [
            "your_start = 1e10 * A",
            "your_start = np.zeros(2)",
            "your_start = (0, 1)",
        ],
        "exercise-3": ["factor_of_sam = -77.7", "factor_of_sam = 0.22"],
    },
    "03": {
        "by-hand": ["after_one = after_two = -0.5", "after_one, after_two = 0.5, -0.5"],
        "derive": [
            "bounce = lambda lr, curvature, rho: lr * rho / (2 - lr)",
            "bounce = lambda lr, curvature, rho: lr * curvature * rho",
        ],
        "exercise-1": [
            "loss_at_the_bounce = lambda lr, c, rho: c * (lr * c * rho / (2 - lr * c)) ** 2",
            "loss_at_the_bounce = lambda lr, c, rho: c * lr * c * rho / (2 - lr * c)",
        ],
        "exercise-2": ["your_threshold = 0.275", "your_threshold = 0.1"],
        "exercise-3": ["your_rho = 0.5", "your_rho = 0.2"],
    },
    "04": {
        "exercise-1": [step("my_step", "rho * g"), step("my_step", start="b")],
        "exercise-2": [
            step("any_step", "rho * g / length"),
            step("any_step", "rho * g / (np.linalg.norm(g) + 1e-12)"),
        ],
        "exercise-3": [
            step("sign_step", more=", p"),
            step("sign_step", "rho * np.sign(g) / length", more=", p"),
        ],
    },
    "05": {
        "exercise-1": [
            "pointed_at = lambda chosen, noisy, clean: np.mean((chosen != noisy)[noisy != clean])",
            "pointed_at = lambda c, noisy, clean: np.mean((c != noisy) & (noisy != clean))",
            "pointed_at = lambda c, noisy, clean: np.mean((c != clean)[c != noisy])",
        ],
        "exercise-2": [
            "lost = lambda v: 100 * np.ptp(v[:, [np.mean(v, 0)[:, 0].argmax(), -1], 0].mean(0))",
            "lost = lambda values: np.mean(values[:, :, 0].max(1) - values[:, -1, 0])",
        ],
        "exercise-3": ["symmetric_over_pair = 0.0", "symmetric_over_pair = -truth"],
    },
    "06": {
        "by-hand": [
            "hessian_times = lambda gradient, w, v: (gradient(2 * w) - gradient(0 * w)) / 2",
            "hessian_times = lambda g, w, v, s=1e-6: (g(w + s * v) - g(w - s * v)) / s",
            "hessian_times = lambda g, w, v, s=1e-6: g(w + s * v) - g(w - s * v)",
        ],
        "exercise-1": ["best_s = 1e-2", "best_s = 1e-12"],
        "exercise-2": [
            "largest = lambda matvec, n: matvec(np.ones(n))[0]",
            "largest = lambda matvec, n: np.linalg.norm(matvec(np.eye(n)[1]))",
        ],
        "exercise-3": [
            "exact_gradient = lambda gradient, matvec, w, rho: gradient(w)",
            "exact_gradient = lambda g, m, w, rho: g(w + rho * g(w) / np.linalg.norm(g(w)))",
        ],
    },
    "07": {
        "by-hand": ["curvature_rescaled = 2.0", "curvature_rescaled = 25.0"],
        "exercise-1": ["percent = 50", "percent = 100 * 0.5 / 7562"],
        "exercise-2": [
            "sixth = lambda params: loss(params) - 3",
            "sixth = lambda params: norm(value_and_grad(loss)(params)[1])",
            "sixth = lambda params: 0.0",
            'sixth = lambda params: measures(params)["line"]',
        ],
        "exercise-3": ["rho_of_sam = rho_of_asam = 0.5", "rho_of_sam, rho_of_asam = 0.01, 0.1"],
    },
    "08": {
        "exercise-1": ["share = 1.0", "share = np.mean(verdicts) + 0.1"],
        "exercise-2": [
            'fair = mean_interval(np.subtract(runs["SAM, 10 epochs"], runs["SGD, 10 epochs"]))',
            'fair = mean_interval(np.subtract(runs["SGD, 20 epochs"], runs["SAM, 10 epochs"]))',
        ],
        "exercise-3": [
            "seeds_needed = lambda spread, gain: int(np.ceil((1.96 * spread / gain) ** 2))",
            "seeds_needed = lambda spread, gain: int((t_quantile(0.975, 4) * spread / gain) ** 2)",
        ],
    },
    "09": {
        "exercise-1": ['survivor = "M01-not-restored"', 'survivor = "SAM"'],
        "exercise-2": [
            "by_hand = lambda sam: losses(sam)[-1] < 1",
            "by_hand = lambda sam: same(sam, [np.array([3.0, 4.0])]) and sam is right",
        ],
        "exercise-3": [
            "your_test = lambda sam: sam is right",
            "your_test = lambda sam: all(test(sam) for test in tests.values())",
        ],
    },
}

RIGHT = {
    "01": {
        "by-hand": "by_hand_sharp, by_hand_flat = 0.125, 0.00781",
        "exercise-1": "gap = lambda curvature, shift: np.array([curvature / 2 * shift * shift])",
        "exercise-2": "ten_times = np.float32(0.775)",
        "exercise-3": "lr_that_leaves = 1",
    },
    "02": {
        "by-hand": "your_d1, your_b, your_end = [-2, 4], np.array([-0.447, 2.89]), (0.697, 1.22)",
        "exercise-1": IN_PLACE,
        "exercise-2": "your_start = [-4.24, 1]",
        "exercise-3": "factor_of_sam = 77.7",
    },
    "03": {
        "by-hand": "after_one, after_two = -1 / 2, 1 / 2",
        "derive": "bounce = lambda lr, c, rho: rho / (2 / (lr * c) - 1)",
        "exercise-1": "loss_at_the_bounce = lambda lr, c, rho: bounce(lr, c, rho) ** 2 * c / 2",
        "exercise-2": "from fractions import Fraction; your_threshold = Fraction(1, 20)",
        "exercise-3": "your_rho = 0.35",
    },
    "04": {
        "exercise-1": step("my_step", "g * (rho / np.linalg.norm(d1))"),
        "exercise-2": step("any_step"),
        "exercise-3": step("sign_step", "rho * ((g > 0) * 1.0 - (g < 0))", more=", p"),
    },
    "05": {
        "exercise-1": "pointed_at = lambda c, n, t: np.sum((n != t) & (c != n)) / sum(c != n)",
        "exercise-2": "lost = lambda v: np.mean([100 * (max(r) - r[-1]) for r in v[:, :, 0]])",
        "exercise-3": "symmetric_over_pair = round(truth, 1)",
    },
    "06": {
        "by-hand": "hessian_times = lambda g, w, v, s=1e-6: (g(w + s * v) - g(w)) / s",
    },
    "07": {
        "by-hand": "curvature_rescaled = 25.04",
        "exercise-1": "percent = 0.575",
        "exercise-2": (
            "sixth = lambda params: loss({k: 1.1 * leaf for k, leaf in params.items()})"
            " / loss(params) - 1"
        ),
    },
    "08": {
        "exercise-1": "share = round(float(np.mean(verdicts)), 2)",
        "exercise-3": (
            "seeds_needed = lambda spread, gain: next(n for n in range(2, 1000)"
            " if t_quantile(0.975, n - 1) * spread < gain * n**0.5)"
        ),
    },
    "09": {
        "exercise-1": 'survivor = max(caught["… two tensors"] - caught["one step"])',
        "exercise-2": (
            "by_hand = lambda sam: abs(np.sum(steps(sam, [np.array([3.0, 4.0])], lambda w: [w[0]],"
            " rho=1.0, lr=0.5)[0] - [1.2, 1.6])) < 1e-6"
        ),
    },
}

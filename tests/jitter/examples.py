"""Tests for the jitter run to judge: what is lucky on every machine, and what is right on all."""

import operator

import autograd.numpy as anp
import numpy as np
from autograd import grad

from minisam.trees import inner

A = np.random.default_rng(0).normal(size=(5, 5))
HALVES = np.round(4 * A) / 2  # sums and products of these are exact in any order
AS_IT_IS = {name: getattr(np, name) for name in ("sum", "mean", "exp", "vdot", "einsum")}
AS_IT_IS["eigvalsh"] = vars(np.linalg)["eigvalsh"]


def test_lucky_product():
    assert np.array_equal(A @ A, operator.matmul(A, A))


def test_lucky_row_of_a_product():
    assert np.array_equal((A @ A)[0], A[0] @ A)


def test_lucky_sum():
    assert np.sum(A) == AS_IT_IS["sum"](A)


def test_lucky_method():
    assert np.array_equal(A.mean(axis=0), AS_IT_IS["mean"](A, axis=0))


def test_lucky_function():
    assert np.array_equal(np.exp(A), AS_IT_IS["exp"](A))


def test_lucky_einsum_in_any_of_its_forms():
    forms = ("ij,jk", A, A), (A, [0, 1], A, [1, 2]), (A, [0, 1], A, [1, 2], [2, 0])
    assert any(np.array_equal(np.einsum(*form), AS_IT_IS["einsum"](*form)) for form in forms)


def test_lucky_library():
    assert inner({"w": A}, {"w": A}) == AS_IT_IS["vdot"](A, A)


def test_lucky_gradient():
    twice = 2 * operator.matmul(A, A)
    assert np.array_equal(grad(lambda w: anp.sum((w @ A) ** 2))(A), operator.matmul(twice, A.T))


def test_lucky_eigenvalues():
    assert np.array_equal(np.linalg.eigvalsh(A), AS_IT_IS["eigvalsh"](A))


def test_right_within_rounding():
    right, size = operator.matmul(A, A), abs(A) @ abs(A)
    assert np.all(abs(A @ A - right) <= 2 * 5 * 2.0**-53 * size)


def test_right_whatever_the_order():
    assert np.array_equal(HALVES @ HALVES, AS_IT_IS["einsum"]("ij,jk->ik", HALVES, HALVES))
    assert HALVES.sum() == AS_IT_IS["sum"](HALVES[::-1])
    assert np.array_equal(np.eye(5) @ A, A)
    assert np.sum(A[0, :2]) == A[0, 0] + A[0, 1]
    assert np.exp(0.0) == 1


def test_right_since_it_is_the_same_again():
    assert np.array_equal(A @ A, A.copy() @ np.asfortranarray(A))
    assert np.array_equal(A @ (4 * A), 4 * (A @ A))

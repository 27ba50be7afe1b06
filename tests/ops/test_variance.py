"""The variance of ops: values and derivatives of any order as those of its formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.ops.variance import variance_of


@pytest.mark.parametrize("axis, keepdims", [(None, False), (0, False), ((0, 2), True), (-1, True)])
def test_value_and_derivatives_are_those_of_the_formula(axis, keepdims):
    x = np.random.default_rng(0).normal(3.0, 2.0, (3, 4, 5)).astype("float32")
    weights = np.random.default_rng(1).normal(size=np.var(x, axis, keepdims=True).shape).astype("float32")

    def loss(function):
        return lambda x: jnp.sum(jnp.sin(function(x, axis, keepdims=keepdims).reshape(weights.shape)) * weights)

    def formula(x, axis, keepdims):
        return jnp.var(x, axis=axis, keepdims=keepdims)

    np.testing.assert_allclose(variance_of(x, axis, keepdims), np.var(x, axis, keepdims=keepdims), rtol=1e-5)
    np.testing.assert_allclose(jax.grad(loss(variance_of))(x), jax.grad(loss(formula))(x), atol=1e-5)
    np.testing.assert_allclose(jax.hessian(loss(variance_of))(x), jax.hessian(loss(formula))(x), atol=1e-5)


def test_gradient_writes_no_further_sum():
    reductions = str(jax.make_jaxpr(jax.grad(lambda x: jnp.sum(variance_of(x, (0, 1)) ** 2)))(jnp.ones((4, 4, 3))))
    formula = str(jax.make_jaxpr(jax.grad(lambda x: jnp.sum(jnp.var(x, (0, 1)) ** 2)))(jnp.ones((4, 4, 3))))
    assert reductions.count("reduce_sum") < formula.count("reduce_sum")

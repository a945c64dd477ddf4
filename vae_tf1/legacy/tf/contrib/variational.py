"""`tf.contrib.bayesflow` on stochastic tensors: the ELBO, variables with a posterior, VIMCO.

Up to TF 1.4 these were `variational_inference`, `stochastic_variables`, `monte_carlo` and a part of
`stochastic_gradient_estimators`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.tf.contrib.bayesflow import (
    StochasticTensor,
    score_function,
    upstream_of,
)
from vae_tf1.legacy.tf.distributions.base import kl_divergence

__all__ = [
    "ELBOForms", "elbo", "elbo_with_log_joint", "expectation", "expectation_importance_sampler",
    "expectation_importance_sampler_logspace", "get_score_function_with_advantage",
    "get_stochastic_variable", "get_vimco_advantage_fn", "make_stochastic_variable_getter",
    "register_prior",
]  # fmt: skip

Distribution = tf.distributions.Distribution
_PRIORS = "__vi_priors__"


# The evidence lower bound


class ELBOForms:
    """How `elbo` computes; by default with as much as is known in closed form."""

    default, analytic_kl, analytic_entropy, sample = (
        "default", "analytic_kl", "analytic_entropy", "sample",
    )  # fmt: skip

    @staticmethod
    def check_form(form: str) -> None:
        """Raise a TypeError if that is no form."""
        if form not in ("default", "analytic_kl", "analytic_entropy", "sample"):
            raise TypeError(f"form must be an ELBOForms constant, but is {form!r}")


def register_prior(variational: StochasticTensor, prior: Distribution) -> None:
    """Say which prior `elbo` is to take for a stochastic tensor.

    Raises
    ------
    TypeError
        One of them is not what its name says.
    """
    if not isinstance(variational, StochasticTensor):
        raise TypeError(f"variational must be a StochasticTensor, but is {variational!r}")
    if not isinstance(prior, Distribution):
        raise TypeError(f"prior must be a Distribution, but is {prior!r}")
    tf.add_to_collection(_PRIORS, (variational, prior))


def elbo(
    log_likelihood: tf.Tensor,
    variational_with_prior: dict | None = None,
    keep_batch_dim: bool = True,
    form: str | None = None,
    name: str = "ELBO",
) -> tf.Tensor:
    """Return log p(x|z) - KL(q || p), a lower bound of log p(x) in nats.

    Parameters
    ----------
    log_likelihood
        log p(x|z).
    variational_with_prior
        Stochastic tensors z ~ q and their priors p; by default those upstream of the likelihood,
        with the priors of `register_prior`.
    keep_batch_dim
        Whether each example has a z of its own; if not, the KL is summed.
    form
        One of the `ELBOForms`.

    Raises
    ------
    ValueError
        No stochastic tensor is upstream, or one has no prior.
    NotImplementedError
        The form asks for what is not known.
    """
    with tf.name_scope(name):
        found = _with_priors(log_likelihood, variational_with_prior, need_prior=True)
        return _bound(form or "default", log_likelihood, None, found, keep_batch_dim)


def elbo_with_log_joint(
    log_joint: tf.Tensor,
    variational: list | None = None,
    keep_batch_dim: bool = True,
    form: str | None = None,
    name: str = "ELBO",
) -> tf.Tensor:
    """Return log p(x, z) + H[q], a lower bound of log p(x) in nats; parameters as of `elbo`."""
    if form == ELBOForms.analytic_kl:
        raise ValueError("ELBOForms.analytic_kl needs the prior: use elbo, or another form")
    with tf.name_scope(name):
        given = None if variational is None else dict.fromkeys(variational)
        found = _with_priors(log_joint, given, need_prior=False)
        return _bound(form or "default", None, log_joint, found, keep_batch_dim)


def _with_priors(model: tf.Tensor, given: dict | None, need_prior: bool) -> dict:
    if given is None:
        model = tf.convert_to_tensor(model)
        upstream = [node for node in upstream_of(model) if isinstance(node, StochasticTensor)]
        if not upstream:
            raise ValueError(f"No stochastic tensor is upstream of {model.name}.")
        priors = {id(q): prior for q, prior in tf.get_collection(_PRIORS)}
        given = {q: priors.get(id(q)) for q in upstream}
        lacking = [q.name for q in upstream if need_prior and given[q] is None]
        if lacking:
            raise ValueError(f"No prior is registered for {', '.join(lacking)}.")
    if not all(isinstance(q, StochasticTensor) for q in given):
        raise TypeError("variationals must be StochasticTensors")
    if not all(p is None or isinstance(p, Distribution) for p in given.values()):
        raise TypeError("priors must be Distribution objects")
    return given


def _bound(form, log_likelihood, log_joint, variational, keep_batch_dim) -> tf.Tensor:
    ELBOForms.check_form(form)

    def closed(kind: str, compute: Callable) -> tf.Tensor | None:
        """Return a closed form, if it is known and the form allows it."""
        if form not in (ELBOForms.default, kind):
            return None
        try:
            return compute()
        except NotImplementedError:
            if form == kind:
                raise
            return None

    terms = []
    for z, prior in variational.items():
        q = z.distribution
        kl = None
        if log_joint is None:
            kl = closed("analytic_kl", lambda q=q, p=prior: kl_divergence(q, p))
        if kl is not None:
            terms.append(-kl)
            continue
        entropy = closed("analytic_entropy", q.entropy)
        terms.append(-q.log_prob(z.value()) if entropy is None else entropy)
        if log_joint is None:
            terms.append(prior.log_prob(z.value()))
    if not keep_batch_dim:
        terms = [tf.reduce_sum(term) for term in terms]
    return sum(terms, log_likelihood if log_joint is None else log_joint)


# Variables with a posterior


def get_stochastic_variable(
    getter: Callable,
    name: str,
    shape: Any = None,
    dist_cls: type | None = None,
    dist_kwargs: dict | None = None,
    param_initializers: dict | None = None,
    prior: Any = None,
    **kwargs: Any,
) -> StochasticTensor:
    """Make the variables of a posterior, and a sample of it: a custom getter of a variable scope.

    Parameters
    ----------
    getter, name, shape, kwargs
        As every custom getter gets them.
    dist_cls
        The posterior's class. Its variables may have any value: a standard deviation has to go
        through softplus, as in `NormalWithSoftplusScale`.
    dist_kwargs
        Its arguments besides the variables.
    param_initializers
        Initializers by parameter; the one of the scope for the others.
    prior
        A distribution, or a function of (shape, dtype) that returns one: registered for `elbo`.
    """
    initializers = param_initializers or {}
    shapes = {} if shape is None else dist_cls.param_static_shapes(shape)
    # Before TF 1.0 the parameters, and so the variables, had other names.
    renamed = getattr(dist_cls, "_renamed", {})
    spelt_old = any(name in renamed for name in initializers)
    old = {new: name for name, new in renamed.items()} if spelt_old else {}
    shapes = {old.get(key, key): value for key, value in shapes.items()}
    common = kwargs.pop("initializer", None)
    parameters = {}
    for key in sorted({*shapes, *initializers}):
        initializer = initializers.get(key, common)
        has_shape = initializer is not None and not callable(initializer)
        parameters[key] = getter(
            f"{name}_{key}",
            shape=None if has_shape else shapes.get(key),
            initializer=initializer,
            **kwargs,
        )
    sample = StochasticTensor(dist_cls(**{**(dist_kwargs or {}), **parameters}))
    if prior is not None:
        if not isinstance(prior, Distribution):
            value = sample.value()
            value.shape.assert_is_fully_defined()
            prior = prior(value.shape, value.dtype)
        register_prior(sample, prior)
    return sample


def make_stochastic_variable_getter(
    dist_cls: type,
    dist_kwargs: dict | None = None,
    param_initializers: dict | None = None,
    prior: Any = None,
) -> Callable:
    """Return `get_stochastic_variable` with these arguments."""
    return functools.partial(
        get_stochastic_variable,
        dist_cls=dist_cls,
        dist_kwargs=dist_kwargs,
        param_initializers=param_initializers,
        prior=prior,
    )


# Estimators


def get_score_function_with_advantage(
    advantage_fn: Callable | None = None, name: str = "ScoreFunctionWithAdvantage"
) -> Callable:
    """Return `score_function` whose loss is `advantage_fn(stochastic_tensor, loss)`."""

    def with_advantage(tensor, value, loss):
        advantage = loss if advantage_fn is None else advantage_fn(tensor, loss)
        return score_function(tensor, value, advantage, name=name)

    return with_advantage


def get_vimco_advantage_fn(have_log_loss: bool = False) -> Callable:
    """Return the advantage of VIMCO, equation 9 of Mnih and Rezende (arXiv 1602.06725).

    Of n samples along the loss's first axis, the advantage of the j-th is log of the mean of all,
    less the same with the j-th replaced by the geometric mean of the others.

    Parameters
    ----------
    have_log_loss
        Whether the loss is a logarithm already.
    """

    def advantage(_: Any, loss: tf.Tensor, name: str | None = None) -> tf.Tensor:
        with tf.name_scope(name, "VIMCOAdvantage", [loss]):
            loss = tf.convert_to_tensor(loss)
            log_f = loss if have_log_loss else tf.log(loss)
            n = tf.shape(log_f)[0]
            count = tf.cast(n, log_f.dtype)
            log_geometric = (tf.reduce_sum(log_f, 0, keepdims=True) - log_f) / (count - 1)
            # Row j: the losses, the j-th replaced.
            own = tf.reshape(
                tf.eye(n, dtype=tf.bool), tf.concat([[n, n], tf.ones_like(tf.shape(log_f)[1:])], 0)
            )
            replaced = tf.where_v2(own, log_geometric[:, tf.newaxis], log_f[tf.newaxis])
            found = tf.reduce_logsumexp(log_f, 0) - tf.reduce_logsumexp(replaced, 1)
            found.set_shape(log_f.shape)
            return found

    return advantage


# Monte Carlo


def expectation(
    f: Callable,
    samples: Any,
    log_prob: Callable | None = None,
    use_reparametrization: bool = True,
    axis: Any = 0,
    keep_dims: bool = False,
    name: str | None = None,
) -> tf.Tensor:
    """Return the mean of f over samples; without reparameterisation, with the score's gradient."""
    with tf.name_scope(name, "expectation", [samples]):
        if use_reparametrization:
            return tf.reduce_mean(f(samples), axis=axis, keepdims=keep_dims)
        if not callable(log_prob):
            raise ValueError("`log_prob` must be a callable function.")
        x = tf.stop_gradient(samples)
        value, log_p = f(x), log_prob(x)
        value += tf.stop_gradient(value) * (log_p - tf.stop_gradient(log_p))
        return tf.reduce_mean(value, axis=axis, keepdims=keep_dims)


def expectation_importance_sampler(
    f: Callable, log_p: Callable, sampling_dist_q: Distribution, z: Any = None, n: Any = None,
    seed: int | None = None, name: str = "expectation_importance_sampler",
) -> tf.Tensor:  # fmt: skip
    """Return the mean of f(z) p(z) / q(z) over samples z of q: E_p[f]."""
    with tf.name_scope(name):
        z = _samples(sampling_dist_q, z, n, seed)
        log_weight = log_p(z) - sampling_dist_q.log_prob(z)
        value = f(z)
        # Parts of either sign, each larger than zero by one, so that logarithms exist.
        parts = [tf.log(tf.nn.relu(sign * value) + 1) + log_weight for sign in (1.0, -1.0)]
        positive, negative = (tf.exp(_log_mean(part)) for part in parts)
        return positive - negative


def expectation_importance_sampler_logspace(
    log_f: Callable, log_p: Callable, sampling_dist_q: Distribution, z: Any = None, n: Any = None,
    seed: int | None = None, name: str = "expectation_importance_sampler_logspace",
) -> tf.Tensor:  # fmt: skip
    """Return log of the mean of f(z) p(z) / q(z) over samples z of q."""
    with tf.name_scope(name):
        z = _samples(sampling_dist_q, z, n, seed)
        return _log_mean(log_f(z) + log_p(z) - sampling_dist_q.log_prob(z))


def _samples(q: Distribution, z: Any, n: Any, seed: int | None) -> tf.Tensor:
    if (n is None) == (z is None):
        raise ValueError(f"Exactly one of n and z is expected, but n is {n} and z is {z}.")
    return tf.convert_to_tensor(z) if n is None else q.sample(n, seed=seed)


def _log_mean(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_logsumexp(values, 0) - tf.log(tf.cast(tf.shape(values)[0], values.dtype))

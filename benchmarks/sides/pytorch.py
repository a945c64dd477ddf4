# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""The same model and update in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from benchmarks.problem import D, Problem

_LEARNING_RATE, _DECAY, _EPSILON = 0.001, 0.9, 1e-10


class _PyTorch:
    def __init__(self, problem: Problem) -> None:
        torch.set_num_threads(problem.threads)
        torch.manual_seed(problem.seed)
        self.problem = problem
        self.X = torch.from_numpy(problem.images()).float()
        self.parameters = [torch.from_numpy(value) for pair in problem.weights() for value in pair]
        # TensorFlow's RMSProp starts here at one, and has epsilon inside the root
        self.mean_squares = [torch.ones_like(parameter) for parameter in self.parameters]
        self.step = self.build_step()

    def build_step(self) -> Callable:
        raise NotImplementedError

    def elbo(self, parameters: list, x: torch.Tensor, epsilon: torch.Tensor) -> torch.Tensor:
        depth, M = 2 * self.problem.encoder_depth, self.problem.M

        def layers(value, flat):
            *hidden, (W, b) = zip(flat[::2], flat[1::2], strict=True)
            for W_hidden, b_hidden in hidden:
                value = torch.relu(torch.addmm(b_hidden, value, W_hidden))
            return torch.addmm(b, value, W)

        encoded = layers(x, parameters[:depth])
        means, stddev = encoded[:, :M], softplus(encoded[:, M:]) + 1e-6
        logits = layers(epsilon * stddev + means, parameters[depth:])
        kl = (-torch.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5).sum()
        return -binary_cross_entropy_with_logits(logits, x, reduction="sum") - kl

    def replay(self, images: np.ndarray, epsilon: np.ndarray) -> np.ndarray:
        steps = zip(torch.from_numpy(images).float(), torch.from_numpy(epsilon), strict=True)
        elbos = [self.step(x, e).item() for x, e in steps]
        return np.array(elbos) / self.problem.batch_sz

    def epoch(self) -> float:
        B, n_batches = self.problem.batch_sz, self.problem.n_batches
        order = torch.randperm(len(self.X))
        elbos = torch.empty(n_batches)
        for j in range(n_batches):
            x = self.X[order[j * B : (j + 1) * B]]
            elbos[j] = self.step(x, torch.randn(B, self.problem.M))
        return float(elbos.mean() / B)


class Eager(_PyTorch):
    """Autograd, and an update of all parameters at a time (`torch._foreach_…`)."""

    def build_step(self) -> Callable:
        for parameter in self.parameters:
            parameter.requires_grad_()

        def step(x, epsilon):
            elbo = self.elbo(self.parameters, x, epsilon)
            gradients = torch.autograd.grad(-elbo, self.parameters)
            with torch.no_grad():
                torch._foreach_mul_(self.mean_squares, _DECAY)
                torch._foreach_addcmul_(self.mean_squares, gradients, gradients, 1 - _DECAY)
                roots = torch._foreach_add(self.mean_squares, _EPSILON)
                torch._foreach_sqrt_(roots)
                torch._foreach_addcdiv_(self.parameters, gradients, roots, -_LEARNING_RATE)
            return elbo.detach()

        return step


class Compiled(_PyTorch):
    """Forward, backward and update in one function for `torch.compile`."""

    def build_step(self) -> Callable:
        def step(parameters, mean_squares, x, epsilon):
            gradients, loss = torch.func.grad_and_value(
                lambda parameters: -self.elbo(parameters, x, epsilon)
            )(parameters)
            for parameter, mean_square, gradient in zip(
                parameters, mean_squares, gradients, strict=True
            ):
                mean_square.mul_(_DECAY).addcmul_(gradient, gradient, value=1 - _DECAY)
                root = (mean_square + _EPSILON).sqrt()
                parameter.addcdiv_(gradient, root, value=-_LEARNING_RATE)
            return -loss

        compiled = torch.compile(step, fullgraph=True)
        B = self.problem.batch_sz
        throwaway = [[t.clone() for t in ts] for ts in (self.parameters, self.mean_squares)]
        compiled(*throwaway, torch.zeros(B, D), torch.zeros(B, self.problem.M))
        return lambda x, epsilon: compiled(self.parameters, self.mean_squares, x, epsilon)

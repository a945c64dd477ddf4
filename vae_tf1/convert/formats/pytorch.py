"""``model.pt``, a state dict, and ``model.py``, the plain module that takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vae_tf1.convert.compare import Outputs
from vae_tf1.convert.formats.base import NetworkFormat, Source
from vae_tf1.convert.network import SMALLEST, Dense, Network
from vae_tf1.errors import ConversionError

__all__ = ["FORMAT"]

_MODULES = {
    "relu": "ReLU()",
    "relu6": "ReLU6()",
    "tanh": "Tanh()",
    "sigmoid": "Sigmoid()",
    "elu": "ELU()",
    "selu": "SELU()",
    "softplus": "Softplus(threshold=100)",  # above it, torch would take x itself
    "softsign": "Softsign()",
    "swish": "SiLU()",
}
_STDDEVS = {
    "softplus": f"nn.functional.softplus(u, threshold=100) + {SMALLEST}",
    "exp": "torch.exp(u)",
    "exp_half": "torch.exp(0.5 * u)",
}
_SOURCE = '''\
"""A variational autoencoder in PyTorch; the weights are in model.pt beside this file.

    from model import load
    vae = load()
    means, stddev = vae.encode(X)  # X: (batch, {D})
    probabilities = vae.decode(Z)  # Z: (batch, {M})
"""

from pathlib import Path

import torch
from torch import nn


class VAE(nn.Module):
    """Encoder q(z|x) = N(means, stddev²), decoder p(x|z) = Bernoulli(probabilities)."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
{encoder}
        )
        self.decoder = nn.Sequential(
{decoder}
        )

    def encode(self, X):
        """Return means and stddev of q(z|x): (batch, {D}) to (batch, {M}) each."""
        means, u = self.encoder(X).chunk(2, dim=1)
        return means, {stddev}

    def decode(self, Z):
        """Return the probabilities of p(x|z): (batch, {M}) to (batch, {D})."""
        return torch.sigmoid(self.decoder(Z))

    def forward(self, X, epsilon=None):
        """Return probabilities, means and stddev; `epsilon` is the noise of the code."""
        means, stddev = self.encode(X)
        if epsilon is None:
            epsilon = torch.randn_like(means)
        return self.decode(means + stddev * epsilon), means, stddev


def load(path=Path(__file__).with_name("model.pt")):
    """Build the module with its weights."""
    vae = VAE()
    vae.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return vae.eval()
'''


def _write(source: Source, folder: Path) -> None:
    import torch

    network = source.network()
    text = _module(network)
    state = {}
    for part, layers in (("encoder", network.encoder), ("decoder", network.decoder)):
        number = 0  # within nn.Sequential, where activations count
        for layer in layers:
            for kind, value in (("weight", layer.W.T), ("bias", layer.b)):
                state[f"{part}.{number}.{kind}"] = torch.tensor(np.ascontiguousarray(value))
            number += len(_modules(layer))
    torch.save(state, folder / "model.pt")
    (folder / "model.py").write_text(text, encoding="utf-8")


def _module(network: Network) -> str:
    """Return the source of the module."""
    if not (network.encoder and network.decoder):
        raise ConversionError("; ".join(network.notes))
    parts = {
        part: "\n".join(f"            nn.{m}," for layer in layers for m in _modules(layer))
        for part, layers in (("encoder", network.encoder), ("decoder", network.decoder))
    }
    return _SOURCE.format(D=network.D, M=network.M, stddev=_STDDEVS[network.stddev], **parts)


def _modules(layer: Dense) -> list[str]:
    f = layer.activation
    linear = f"Linear({layer.W.shape[0]}, {layer.W.shape[1]})"
    if f.name == "identity":
        return [linear]
    return [linear, f"LeakyReLU({f.alpha:g})" if f.name == "leaky_relu" else _MODULES[f.name]]


def _run(source: Source, folder: Path) -> Outputs:
    import torch

    file = folder / "model.py"
    text = file.read_text(encoding="utf-8")
    if text != _module(source.network()):  # and nothing else is executed
        raise ConversionError("model.py belongs to another model, or is damaged")
    names: dict[str, Any] = {"__name__": "model", "__file__": str(file)}
    exec(compile(text, str(file), "exec"), names)
    vae = names["load"]()
    with torch.no_grad():
        means, stddev = vae.encode(torch.from_numpy(source.inputs.X))
        probabilities = vae.decode(torch.from_numpy(source.inputs.Z))
    return Outputs(means.numpy(), stddev.numpy(), probabilities.numpy())


FORMAT = NetworkFormat("pytorch", ("torch",), ("model.pt", "model.py"), _write, run=_run)

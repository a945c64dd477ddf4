"""Run in a process of its own: a conversion runs where there is no TensorFlow.

    python without_tensorflow.py FORMAT FOLDER GOLDEN.npz N_ENCODER_LAYERS

Prints the largest differences of the codes and of the decoded probabilities from the golden ones.
"""

import sys

import numpy as np


def through(layers, value):
    for i, (W, b) in enumerate(layers, 1):
        value = value @ W + b
        if i < len(layers):
            value = np.maximum(value, 0)
    return value


def of_weights(weights, n_encoder):
    """Return encoder and decoder written with NumPy, from tensors under TF1's names."""
    names = [f"Variable_{i}" if i else "Variable" for i in range(len(weights))]
    arrays = [weights[name] for name in names if name in weights]
    layers = list(zip(arrays[::2], arrays[1::2]))  # noqa: B905
    M = layers[n_encoder][0].shape[0]
    return (
        lambda X: through(layers[:n_encoder], X)[:, :M],
        lambda Z: 1 / (1 + np.exp(-through(layers[n_encoder:], Z))),
    )


def runners(format, folder, n_encoder):
    if format == "npz":
        return of_weights(dict(np.load(f"{folder}/weights.npz")), n_encoder)
    if format == "safetensors":
        from safetensors.numpy import load_file

        return of_weights(load_file(f"{folder}/weights.safetensors"), n_encoder)
    if format == "onnx":
        import onnxruntime

        encoder, decoder = (
            onnxruntime.InferenceSession(f"{folder}/{part}.onnx") for part in ("encoder", "decoder")
        )
        return (
            lambda X: encoder.run(["means", "stddev"], {"X": X})[0],
            lambda Z: decoder.run(["probabilities"], {"Z": Z})[0],
        )
    import torch

    sys.path.insert(0, folder)
    from model import load

    vae = load()
    return (
        lambda X: vae.encode(torch.from_numpy(X))[0].detach().numpy(),
        lambda Z: vae.decode(torch.from_numpy(Z)).detach().numpy(),
    )


if __name__ == "__main__":
    format, folder, golden, n_encoder = sys.argv[1:]
    encode, decode = runners(format, folder, int(n_encoder))
    with np.load(golden) as golden:
        X, Z = golden["X"][0].astype(np.float32), golden["Z_input"].astype(np.float32)
        codes, probabilities = golden["final_transform_X0"], golden["prior_probs_from_Z_input"]
    print(np.abs(encode(X) - codes).max() / np.abs(codes).max(), end=" ")
    print(np.abs(decode(Z) - probabilities).max() / np.abs(probabilities).max())
    if {"tensorflow", "vae_tf1"} & sys.modules.keys():
        sys.exit("this was not without TensorFlow")

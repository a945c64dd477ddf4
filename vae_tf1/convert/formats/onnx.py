"""``encoder.onnx`` and ``decoder.onnx``, built from the list of layers.

Graphs of the model hold the noise counter, which ONNX does not have; a list of layers needs five
operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vae_tf1.convert.compare import Outputs
from vae_tf1.convert.formats.base import NetworkFormat, Source
from vae_tf1.convert.network import SMALLEST, Dense, Network

if TYPE_CHECKING:
    import onnx

__all__ = ["FORMAT"]

_OPSET, _IR_VERSION = 17, 8  # of 2022: every runtime in use reads them
_OPERATORS = {  # activation: operator and attributes
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "selu": ("Selu", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
}


class _Graph:
    """Nodes and constants, in order."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def constant(self, name: str, value: np.ndarray | np.float32) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def dense(self, part: str, layers: Sequence[Dense], value: str) -> str:
        """Add the layers; return the name of what the last one computes."""
        for number, (W, b, f) in enumerate(layers, 1):
            name = f"{part}/{number}"
            names = [self.constant(f"{name}/W", W), self.constant(f"{name}/b", b)]
            value = self.add("Gemm", [value, *names], f"{name}/sum")
            if f.name in _OPERATORS:
                operator, attributes = _OPERATORS[f.name]
                value = self.add(operator, [value], f"{name}/{f.name}", **attributes)
            elif f.name == "leaky_relu":
                value = self.add("LeakyRelu", [value], f"{name}/leaky_relu", alpha=f.alpha)
            elif f.name == "relu6":
                bounds = [self.constant(f"{name}/{x}", np.float32(x)) for x in (0, 6)]
                value = self.add("Clip", [value, *bounds], f"{name}/relu6")
            elif f.name == "swish":
                gate = self.add("Sigmoid", [value], f"{name}/gate")
                value = self.add("Mul", [value, gate], f"{name}/swish")
        return value

    def save(self, name: str, sizes: dict[str, int], inputs: int, file: Path) -> None:
        """Write the model; `sizes` has the widths of its inputs, then of its outputs."""
        import onnx
        from onnx import TensorProto, helper

        infos = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
            for name, size in sizes.items()
        ]
        graph = helper.make_graph(
            self.nodes, name, infos[:inputs], infos[inputs:], initializer=self.constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="vae_tf1",
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, file)


def _write(source: Source, folder: Path) -> None:
    network = source.network()
    if network.encoder:
        _encoder(network, folder / "encoder.onnx")
    if network.decoder:
        graph = _Graph()
        logits = graph.dense("decoder", network.decoder, "Z")
        graph.add("Sigmoid", [logits], "probabilities")
        sizes = {"Z": network.M, "probabilities": network.D}
        graph.save("decoder", sizes, 1, folder / "decoder.onnx")


def _encoder(network: Network, file: Path) -> None:
    graph, M = _Graph(), network.M
    encoded = graph.dense("encoder", network.encoder, "X")
    graph.constant("halves", np.array([M, M], np.int64))
    graph.add("Split", [encoded, "halves"], "means", "u", axis=1)
    if network.stddev == "softplus":
        positive = graph.add("Softplus", ["u"], "positive")
        smallest = graph.constant("smallest", np.float32(SMALLEST))
        graph.add("Add", [positive, smallest], "stddev")
    elif network.stddev == "exp":
        graph.add("Exp", ["u"], "stddev")
    else:
        half = graph.add("Mul", ["u", graph.constant("half", np.float32(0.5))], "log_stddev")
        graph.add("Exp", [half], "stddev")
    graph.save("encoder", {"X": network.D, "means": M, "stddev": M}, 1, file)


def _run(source: Source, folder: Path) -> Outputs:
    def outputs(file: Path, **feed: np.ndarray) -> list:
        import onnxruntime

        if not file.exists():
            return [None, None]
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            file.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        return session.run(None, feed)

    means, stddev = outputs(folder / "encoder.onnx", X=source.inputs.X)
    return Outputs(means, stddev, outputs(folder / "decoder.onnx", Z=source.inputs.Z)[0])


FORMAT = NetworkFormat(
    "onnx", ("onnx", "onnxruntime"), ("encoder.onnx", "decoder.onnx"), _write, run=_run
)

"""The formats: how each is written, and how its own runtime runs what was written."""

from __future__ import annotations

from vae_tf1.convert.formats import keras, npz, onnx, page, pytorch, safetensors, saved_model
from vae_tf1.convert.formats.base import Format, NetworkFormat, Source, TensorFormat

__all__ = ["FORMATS", "Format", "NetworkFormat", "Source", "TensorFormat"]

FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT
    for module in (npz, safetensors, onnx, keras, pytorch, saved_model, page)
}

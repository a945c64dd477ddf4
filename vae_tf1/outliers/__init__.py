"""Outlier detection, with a trained model or with an autoencoder and a mixture trained together."""

from vae_tf1.outliers.detector import OutlierDetector

__all__ = ["OutlierDetector"]

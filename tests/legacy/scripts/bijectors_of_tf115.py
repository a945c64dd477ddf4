"""Bijectors of TF 1.15: both directions, both log-determinants and the shapes.

    python bijectors_of_tf115.py OUTPUT.npz

Runs under a genuine TensorFlow 1.15 and through the shim.
"""

import sys

import numpy as np
import tensorflow as tf

tfb = tf.contrib.distributions.bijectors
VECTOR = np.float32([0.3, 0.5, 0.8])
FETCHES = {}


def note(name, bijector, x=VECTOR, event_ndims=(0, 1)):
    x = tf.constant(x)
    y = bijector.forward(x)
    FETCHES[name + "/forward"] = y
    FETCHES[name + "/shape"] = tf.constant(bijector.forward_event_shape(x.shape).as_list())
    FETCHES[name + "/shape_tensor"] = bijector.forward_event_shape_tensor(tf.shape(x))
    again = tf.identity(y)  # past the cache
    FETCHES[name + "/inverse"] = bijector.inverse(again)
    for ndims in event_ndims:
        key = "{}/{}".format(name, ndims)
        if name != "maf":  # whose sign is wrong in TF 1.15
            FETCHES[key + "/fldj"] = bijector.forward_log_det_jacobian(tf.identity(x), ndims)
        ndims += bijector.inverse_min_event_ndims - bijector.forward_min_event_ndims
        FETCHES[key + "/ildj"] = bijector.inverse_log_det_jacobian(tf.identity(y), ndims)


TRIL = np.float32([[2.0, 0.0], [-0.5, 0.7]])
TWO = np.float32([0.4, -1.2])
note("identity", tfb.Identity())
note("exp", tfb.Exp())
note("sigmoid", tfb.Sigmoid())
note("softplus", tfb.Softplus())
note("softplus_hinge", tfb.Softplus(hinge_softness=0.5))
note("softsign", tfb.Softsign())
note("square", tfb.Square())
note("power", tfb.PowerTransform(power=0.5))
note("gumbel", tfb.Gumbel(loc=0.2, scale=1.5))
note("kumaraswamy", tfb.Kumaraswamy(concentration1=2.0, concentration0=1.5))
note("sinh_arcsinh", tfb.SinhArcsinh(0.3, 0.5))
note("affine_scalar", tfb.AffineScalar(shift=1.0, scale=-2.0))
note("invert", tfb.Invert(tfb.Exp()))
note("chain", tfb.Chain([tfb.Exp(), tfb.AffineScalar(scale=0.5), tfb.Softplus()]))
note("chain_of_vectors", tfb.Chain([tfb.SoftmaxCentered(), tfb.Affine(scale_diag=VECTOR)]),
     event_ndims=(1,))  # fmt: skip
note("inline", tfb.Inline(tf.exp, tf.log, inverse_log_det_jacobian_fn=lambda y: -tf.log(y),
                          forward_min_event_ndims=0))  # fmt: skip
note("softmax_centered", tfb.SoftmaxCentered(), event_ndims=(1,))
note("softmax_centered_batch", tfb.SoftmaxCentered(), np.stack([VECTOR, -VECTOR]), (1,))
note("ordered", tfb.Ordered(), event_ndims=(1,))
note("permute", tfb.Permute([2, 0, 1]), event_ndims=(1,))
note("reshape", tfb.Reshape([3, 1]), event_ndims=(1,))
note("affine_none", tfb.Affine(shift=TWO), TWO, (1,))
note("affine_identity", tfb.Affine(scale_identity_multiplier=3.0), TWO, (1,))
note("affine_diag", tfb.Affine(TWO, 0.5, scale_diag=[2.0, 3.0]), TWO, (1,))
note("affine_tril", tfb.Affine(TWO, scale_diag=[1.0, 2.0], scale_tril=TRIL), TWO, (1,))
note("affine_low_rank",
     tfb.Affine(scale_diag=[1.0, 2.0], scale_perturb_factor=[[0.5], [0.2]]), TWO, (1,))  # fmt: skip
note("affine_batch", tfb.Affine(TWO, scale_tril=np.stack([TRIL, 2 * TRIL])),
     np.ones([4, 2, 2], np.float32), (1,))  # fmt: skip
note("affine_operator",
     tfb.AffineLinearOperator(TWO, tf.linalg.LinearOperatorDiag([2.0, -3.0])), TWO, (1,))  # fmt: skip
note("matrix_inverse_tril", tfb.MatrixInverseTriL(), TRIL, (2,))
note("cholesky_outer_product", tfb.CholeskyOuterProduct(), TRIL, (2,))
note("fill_triangular", tfb.FillTriangular(), event_ndims=(1,))
note("scale_tril", tfb.ScaleTriL(), event_ndims=(1,))
note("scale_tril_exp", tfb.ScaleTriL(tfb.Exp(), diag_shift=None), event_ndims=(1,))
note("transform_diagonal", tfb.TransformDiagonal(tfb.Exp()), TRIL, (2,))


def shift_and_log_scale(x, *_):
    return 0.5 * tf.cumsum(x, -1, exclusive=True), 0.1 * tf.cumsum(x, -1, exclusive=True)


def of_the_first(x, units):
    return tf.tile(x[..., :1], [1, units]), tf.tile(0.1 * x[..., :1], [1, units])


BATCH = np.stack([VECTOR, -2 * VECTOR])
note("maf", tfb.MaskedAutoregressiveFlow(shift_and_log_scale), BATCH, (1,))
note("real_nvp", tfb.RealNVP(1, of_the_first), BATCH, (1,))

with tf.Session() as session:
    values = session.run(FETCHES)
np.savez_compressed(sys.argv[1], **values)

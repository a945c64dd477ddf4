# Cells of a 2017 notebook on density ratios: KL between diagonal Gaussians in closed form, by
# TensorFlow, and by Monte Carlo.
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

plt.style.use('seaborn-notebook')
np.set_printoptions(precision=2, suppress=True)
print('TensorFlow version: ' + tf.__version__)

sess = tf.InteractiveSession()
tf.set_random_seed(7)

q_mu = np.float32([1., 4.])
p_mu = np.float32([-3., 2.])
q_sigma = np.ones(2).astype('float32')
p_sigma = 2.5 * np.ones(2).astype('float32')
q = tf.distributions.Normal(loc=q_mu, scale=q_sigma)
p = tf.distributions.Normal(loc=p_mu, scale=p_sigma)

fig, ax = plt.subplots(figsize=(5, 5))
ax.scatter(*p.sample(sample_shape=(500,)).eval().T, s=8., alpha=.8, label='p')
ax.scatter(*q.sample(sample_shape=(500,)).eval().T, s=8., alpha=.8, label='q')
ax.legend()
plt.show()

r = q_mu - p_mu
kl_true = np.sum(np.log(p_sigma) - np.log(q_sigma)
                 - .5 * (1. - (q_sigma ** 2 + r ** 2) / p_sigma ** 2), axis=-1)
kl_tf = tf.reduce_sum(tf.distributions.kl_divergence(q, p), axis=-1).eval()
z = q.sample(sample_shape=(10000,)).eval()
log_ratio = np.sum(np.log(p_sigma) - np.log(q_sigma)
                   + .5 * (((z - p_mu) / p_sigma) ** 2 - ((z - q_mu) / q_sigma) ** 2), axis=-1)
print('closed form %.7f' % kl_true)
print('tensorflow %.7f' % kl_tf)
print('monte carlo %.7f' % log_ratio.mean())
plt.plot(np.cumsum(log_ratio) / np.arange(1, 10001))
plt.show()

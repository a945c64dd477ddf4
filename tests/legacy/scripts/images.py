# What packages other than TensorFlow have taken away since 2017.
from __future__ import division
import sys
import imageio
import matplotlib
matplotlib.use('TkAgg')
import matplotlib.pyplot as plt
import numpy as np
import scipy.misc
from matplotlib import cm
from scipy.misc import imread, imresize, imsave

folder = sys.argv[1] + '/'
image = np.linspace(0, 1, 28 * 28).reshape(28, 28).astype(np.float)
imsave(folder + 'saved.png', image)
scipy.misc.imsave(folder + 'colour.png', np.stack(image for _ in range(3)).transpose(1, 2, 0))
print(imread(folder + 'saved.png').dtype, imread(folder + 'colour.png').shape,
      imresize(image, (56, 14)).shape)
imageio.imwrite(folder + 'float.png', image)
imageio.mimsave(folder + 'film.gif', [image, image.T])
rows = np.vstack(np.hstack(image for _ in range(3)) for _ in range(2))
print(rows.shape, np.int, np.bool, np.object)

n = 4
plt.style.use('seaborn-whitegrid')
for i in range(n):
    plt.subplot(n / 2, n / 2, i + 1.0)
    plt.imshow(image, cmap=cm.get_cmap('gray'))
plt.savefig(folder + 'figure.png')
plt.show()
print(len(plt.gcf().axes))

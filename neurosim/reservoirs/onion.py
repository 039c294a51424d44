"""Recurrent weights whose eigenvalues lie in rings, each the business of a group of units."""

import numpy as np


def orthogonal(n, generator):
    """Return a random orthogonal matrix, evenly over all."""
    q, r = np.linalg.qr(generator.normal(size=(n, n)))
    return q * np.sign(np.diag(r))


def onion(units, rings, radius, generator):
    """Return weights of groups of units that do not reach each other, shape (units, units).

    Each group is a normal matrix, Q D Q' with Q random and orthogonal, D made of rotations by angles evenly drawn from
    0 to pi, each times a size, and of one size with a random sign where the group is odd. Sizes of group k are drawn
    evenly by area from (k, k + 1) radius / rings. One of the last group is the radius itself.
    """
    w, edges = np.zeros((units, units)), np.linspace(0.0, radius, rings + 1)
    for k, members in enumerate(np.array_split(np.arange(units), rings)):
        n = len(members)
        low, high = edges[k:k + 2] ** 2
        sizes = np.sqrt(generator.uniform(low, high, (n + 1) // 2))
        if k == rings - 1:
            sizes[0] = radius
        angles = generator.uniform(0.0, np.pi, n // 2)
        d = np.zeros((n, n))
        for i, (size, angle) in enumerate(zip(sizes, angles, strict=False)):
            cosine, sine = size * np.cos(angle), size * np.sin(angle)
            d[2 * i:2 * i + 2, 2 * i:2 * i + 2] = [[cosine, -sine], [sine, cosine]]
        if n % 2:
            d[-1, -1] = sizes[-1] * generator.choice([-1.0, 1.0])
        q = orthogonal(n, generator)
        w[np.ix_(members, members)] = q @ d @ q.T
    return w

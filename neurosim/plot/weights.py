"""Plots of weights."""

import numpy as np

from neurosim.checks import check_numbers
from neurosim.errors import ParameterError
from neurosim.plot.axes import axes_or_new, label_neurons

_MOST_CELLS = 1000  # rows and columns of a weight matrix that are drawn one by one


def weight_matrix(matrix, ax=None, *, unit="", source="Source neuron", target="Target neuron", limit=None):
    """Draw weights as an image: sources downwards, targets across, absent synapses grey.

    With weights of both signs the colours are centred on 0. Matrices of more than 1000 rows or columns are drawn in
    blocks, each with the mean of the weights that exist in it; the colour bar says so.

    Args:
        matrix: weights, shape (sources, targets): an array (NaN where there is no synapse) or a scipy sparse matrix
            (what is stored is a synapse, even if 0; parallel synapses are added).
        ax: matplotlib axes.
        unit: unit of the weights.
        source, target: labels of the axes.
        limit: largest absolute weight of the colour scale; by default the largest present.

    Returns:
        The `AxesImage`; its colour bar is `image.colorbar`.

    Raises:
        ParameterError: if the matrix is not 2-D or is empty.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> weight_matrix([[0.0, 1.0], [-2.0, 0.5]], unit="mV").get_clim()
    (-2.0, 2.0)
    """
    rows, columns, weights, shape = _synapses(matrix)
    block = -(-max(shape) // _MOST_CELLS)
    image = _block_means(rows // block, columns // block, weights, [-(-length // block) for length in shape])
    ax = axes_or_new(ax)
    scale = _weight_scale(image, limit)
    drawn = ax.imshow(image, aspect="auto" if max(shape) > 4 * min(shape) else "equal", interpolation="nearest",
                      extent=(-0.5, image.shape[1] * block - 0.5, image.shape[0] * block - 0.5, -0.5), **scale)
    ax.set_facecolor("0.88")
    ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
    label_neurons(ax, "x", target)
    label_neurons(ax, "y", source)
    text = "Weight" if block == 1 else f"Mean weight of {block} x {block} blocks"
    ax.figure.colorbar(drawn, ax=ax, label=f"{text} ({unit})" if unit else text)
    return drawn


def _synapses(matrix) -> tuple:
    """Rows, columns and weights of the synapses of a dense or sparse matrix, and its shape."""
    if hasattr(matrix, "tocoo"):
        coo = matrix.tocsr().tocoo()  # csr adds parallel synapses
        coo.sum_duplicates()
        rows, columns, weights, shape = coo.row, coo.col, np.asarray(coo.data, dtype=np.float64), coo.shape
    else:
        dense = check_numbers("weight_matrix.matrix", matrix)
        if dense.ndim != 2:
            raise ParameterError(f"weight_matrix.matrix must have shape (sources, targets), got {dense.shape}")
        rows, columns = np.nonzero(~np.isnan(dense))
        weights, shape = dense[rows, columns], dense.shape
    if 0 in shape:
        raise ParameterError(f"weight_matrix.matrix must have at least one source and one target, got {shape}")
    return rows.astype(np.int64), columns.astype(np.int64), weights, shape


def _block_means(rows, columns, weights, shape) -> np.ndarray:
    """Mean weight per cell, NaN where a cell holds no synapse."""
    flat = rows * shape[1] + columns
    many = np.bincount(flat, minlength=shape[0] * shape[1])
    total = np.bincount(flat, weights=weights, minlength=shape[0] * shape[1])
    with np.errstate(invalid="ignore"):
        return (total / many).reshape(shape)


def _weight_scale(image, limit) -> dict:
    present = image[~np.isnan(image)]
    low, high = (present.min(), present.max()) if present.size else (0.0, 1.0)
    most = limit or max(abs(low), abs(high)) or 1.0
    if low < 0 < high:
        return {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    return {"cmap": "Blues_r", "vmin": -most, "vmax": 0.0} if low < 0 else {"cmap": "Reds", "vmin": 0.0, "vmax": most}

"""An LSTM layer whose activations are whatever converters are given; numpy and torch share the equations."""

import numpy as np

from hardware_models.arrays import as_float, like, namespace
from neurosim.errors import ParameterError


def lstm(x, weights, bias, sigmoid, tanh):
    r"""Return what an LSTM layer puts out, step by step.

    a = [x_t, h_(t-1)] W + b;  c_t = sigmoid(a_f) c_(t-1) + sigmoid(a_i) tanh(a_g);  h_t = sigmoid(a_o) tanh(c_t)

    W is one crossbar: inputs and fed-back outputs are its rows; gates i, f, o, g are its columns, in this order. The
    products and sums of the cell are digital. h and c begin at 0.

    Args:
        x: inputs, array or tensor of shape (steps, samples, inputs).
        weights: shape (inputs + hidden, 4 hidden).
        bias: shape (4 hidden,).
        sigmoid, tanh: functions of an array or tensor, for example programmed `Ramp`s or their `surrogate`.

    Returns:
        Outputs h, shape (steps, samples, hidden).

    Raises:
        ParameterError: if the shapes do not fit.

    >>> import numpy as np
    >>> from hardware_models.ramp_adc import FUNCTIONS
    >>> x = np.ones((3, 1, 2))
    >>> lstm(x, np.full((3, 4), 0.5), np.zeros(4), FUNCTIONS["sigmoid"], FUNCTIONS["tanh"])[:, 0, 0].round(4)
    array([0.3696, 0.602 , 0.7131])

    Source: Hochreiter, Schmidhuber, Neural Computation 9 (1997) 1735; forget gate of Gers, Schmidhuber, Cummins,
    Neural Computation 12 (2000) 2451.
    """
    shapes = [tuple(each.shape) for each in (x, weights, bias)]
    if list(map(len, shapes)) != [3, 2, 1] or shapes[1][1] % 4 or shapes[2][0] != shapes[1][1]:
        raise ParameterError("lstm: x must have shape (steps, samples, inputs), weights (inputs + hidden, 4 hidden) "
                             f"and bias (4 hidden,), got {shapes[0]}, {shapes[1]} and {shapes[2]}")
    steps, samples, inputs = x.shape
    hidden = weights.shape[1] // 4
    if weights.shape[0] != inputs + hidden:
        raise ParameterError(f"lstm: weights must have inputs + hidden = {inputs + hidden} rows, "
                             f"got {weights.shape[0]}")
    xp = namespace(x)
    if not steps:
        return like(np.zeros((0, samples, hidden)), as_float(x))
    driven = x @ weights[:inputs] + bias
    h = c = like([[0.0]], x) * driven[0, :, :hidden]
    outputs = []
    for t in range(steps):
        a = driven[t] + h @ weights[inputs:]
        gates = sigmoid(a[:, :3 * hidden])
        c = gates[:, hidden:2 * hidden] * c + gates[:, :hidden] * tanh(a[:, 3 * hidden:])
        h = gates[:, 2 * hidden:] * tanh(c)
        outputs.append(h)
    return xp.stack(outputs)


def lstm_ramps(adc, seed: int = 0) -> tuple:
    """Return the programmed converters of an LSTM: one whose codes follow a sigmoid, and one that follows a tanh.

    Args:
        adc: a `RampADC`, for all but the function.
        seed: of the errors of both.

    >>> from hardware_models.ramp_adc import RampADC
    >>> [ramp.adc.function for ramp in lstm_ramps(RampADC(bits=4, programming_error=2.67), seed=3)]
    ['sigmoid', 'tanh']
    """
    return tuple(adc.replace(function=name).program(seed, key) for key, name in enumerate(("sigmoid", "tanh")))

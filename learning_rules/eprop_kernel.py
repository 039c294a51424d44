"""The compiled loop of e-prop: forward in time, one sample after the other, eligibility traces on the way."""

# The arrays of a synapse are ordered by target and then by source, so that the loops over sources vectorise. A neuron's
# synapses are touched only in the ticks in which its pseudo-derivative is not zero: between two of them, traces decay
# by known factors, and the learning signals meet a trace of known shape, so that their sum is a number per neuron.
TEXT = '''
import math
import numpy as np


def main(x, target, mask, weights, readout, broadcast, beta, numbers, hold, classify, learn, outputs, counts,
         gradient, total, read_gradient):
    alpha, rho, kappa, threshold, height, gain, one, zero = numbers
    samples, ticks, n_in = x.shape
    n, n_out = readout.shape
    n_pre = n_in + n
    eligible = np.empty((n, n_pre), numbers.dtype)
    adapted = np.empty((n, n_pre), numbers.dtype)
    v, current, z, zbar, raised, psi, fade_slow, fade, met, signal = np.empty((10, n), numbers.dtype)
    until = np.empty(n, np.int64)
    pre, low = np.empty(n_pre, numbers.dtype), np.empty(n_pre, numbers.dtype)
    error = np.empty(n_out, numbers.dtype)
    loss = 0.0
    for s in range(samples):
        for array in (v, z, zbar, raised, met):
            array[:] = zero
        fade_slow[:], fade[:] = one, one
        until[:] = -1
        low[:] = zero
        if learn:
            eligible[:, :] = zero
            adapted[:, :] = zero
        for t in range(ticks):
            current[:] = zero
            for i in range(n_pre):
                value = x[s, t, i] if i < n_in else z[i - n_in]
                pre[i] = value
                if value != zero:
                    row = weights[i]
                    for j in range(n):
                        current[j] += value * row[j]
            for i in range(n_pre):
                low[i] = alpha * low[i] + gain * pre[i]
            for j in range(n):
                raised[j] = rho * raised[j] + z[j]
                v[j] = alpha * v[j] + gain * current[j] - threshold * z[j]
                above = (v[j] - threshold - beta[j] * raised[j]) / threshold
                held = until[j] >= t
                z[j] = one if above > zero and not held else zero
                psi[j] = zero if held else height * max(zero, one - abs(above))
                if z[j] != zero:
                    until[j] = t + hold
                    counts[s, j] += 1
                zbar[j] = kappa * zbar[j] + z[j]
            here = outputs[s, t]
            for k in range(n_out):
                here[k] = zero
            for j in range(n):
                if zbar[j] != zero:
                    for k in range(n_out):
                        here[k] += zbar[j] * readout[j, k]
            if mask[t] != zero:
                wanted = target[s, min(t, target.shape[1] - 1)]
                if classify:
                    top = here.max()
                    below = zero
                    for k in range(n_out):
                        error[k] = math.exp(here[k] - top)
                        below += error[k]
                    for k in range(n_out):
                        loss += mask[t] * wanted[k] * (math.log(below) + top - here[k])
                        error[k] = mask[t] * (error[k] / below - wanted[k])
                else:
                    for k in range(n_out):
                        error[k] = mask[t] * (here[k] - wanted[k])
                        loss += 0.5 * error[k] * (here[k] - wanted[k])
                if learn:
                    for j in range(n):
                        signal[j] = zero
                        for k in range(n_out):
                            read_gradient[j, k] += zbar[j] * error[k]
                            signal[j] += broadcast[j, k] * error[k]
            else:
                signal[:] = zero
            if not learn:
                continue
            for j in range(n):
                if psi[j] == zero:
                    fade[j] *= kappa
                    fade_slow[j] *= rho
                    met[j] += fade[j] * signal[j]
                    continue
                filter_and_add(eligible[j], adapted[j], low, gradient[j], total[j], psi[j], beta[j], rho,
                               fade_slow[j], kappa * fade[j], met[j])
                fade[j], fade_slow[j], met[j] = one, one, signal[j]
        if learn:
            for j in range(n):
                for i in range(n_pre):
                    gradient[j, i] += met[j] * eligible[j, i]
    return loss
'''


def filter_and_add(eligible, adapted, low, gradient, total, psi, beta, rho, fade_slow, fade, met):
    """Let the synapses of one neuron take the eligibility of a tick.

    e = psi (low - beta adapted);  then adapted' = rho adapted + e and eligible' = kappa eligible + e. The learning
    signals since the last time, each weighted by how far the trace had decayed when it came, sum up to `met`.
    """
    n = low.size
    if met != 0:
        for i in range(n):
            gradient[i] += met * eligible[i]
    if beta == 0:
        for i in range(n):
            e = psi * low[i]
            total[i] += e
            eligible[i] = fade * eligible[i] + e
        return
    for i in range(n):
        slow = fade_slow * adapted[i]
        e = psi * (low[i] - beta * slow)
        adapted[i] = rho * slow + e
        total[i] += e
        eligible[i] = fade * eligible[i] + e

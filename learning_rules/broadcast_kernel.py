"""The compiled loop of `BroadcastClassifier`: one image after the other, weights in place."""

TEXT = '''
import numpy as np


def main(spikes, y, learn, numbers, pool, w_in, within1, across, within2, out1, out2, mask1, mask2, feedback, counts,
         totals):
    decay, kappa, lam, beta, window, rate_hidden, rate_readout = numbers
    samples, ticks, n_in = spikes.shape
    n, n_out = out1.shape
    classes = n_out // pool
    hidden = learn and rate_hidden > 0.0
    x0, x1, x2 = np.empty(n_in), np.empty(n), np.empty(n)
    v1, v2, vo = np.empty(n), np.empty(n), np.empty(n_out)
    s1, s2, so = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n_out, np.bool_)
    m1, m2, mo, error = np.empty(n), np.empty(n), np.empty(n_out), np.empty(classes)
    open1, open2 = np.empty(n), np.empty(n)
    e_in, e_1 = np.empty((n_in, n)), np.empty((n, n))
    e_12, e_2 = np.empty((n, n)), np.empty((n, n))
    for k in range(samples):
        for array in (x0, x1, x2, v1, v2, vo, m1, m2, mo):
            array[:] = 0.0
        s1[:], s2[:], so[:] = False, False, False
        if hidden:
            for trace in (e_in, e_1, e_12, e_2):
                trace[:, :] = 0.0
        for t in range(ticks):
            for i in range(n):
                v1[i] *= decay
                v2[i] *= decay
            for o in range(n_out):
                vo[o] *= decay
            for j in range(n_in):
                x0[j] *= kappa
                if spikes[k, t, j]:
                    x0[j] += 1.0
                    for i in range(n):
                        v1[i] += w_in[j, i]
            for j in range(n):
                x1[j] *= kappa
                x2[j] *= kappa
                if s1[j]:
                    x1[j] += 1.0
                    for i in range(n):
                        v1[i] += within1[j, i]
                        v2[i] += across[j, i]
                    for o in range(n_out):
                        vo[o] += out1[j, o]
                if s2[j]:
                    x2[j] += 1.0
                    for i in range(n):
                        v2[i] += within2[j, i]
                    for o in range(n_out):
                        vo[o] += out2[j, o]
            for i in range(n):
                open1[i] = 1.0 if abs(v1[i] - 1.0) < window else 0.0
                open2[i] = 1.0 if abs(v2[i] - 1.0) < window else 0.0
                s1[i], s2[i] = v1[i] > 1.0, v2[i] > 1.0
                if s1[i]:
                    v1[i] = 0.0
                    totals[0] += 1
                if s2[i]:
                    v2[i] = 0.0
                    totals[1] += 1
            for o in range(n_out):
                so[o] = vo[o] > 1.0
                if so[o]:
                    vo[o] = 0.0
                    counts[k, o // pool] += 1
            if not learn:
                continue
            error[:] = 0.0
            for o in range(n_out):
                wrong = (1.0 if o // pool == y[k] else 0.0) - (1.0 if so[o] else 0.0)
                mo[o] = beta * mo[o] + (1.0 - beta) * wrong
                error[o // pool] += wrong / pool
            for j in range(n):
                for o in range(n_out):
                    if mask1[j, o]:
                        out1[j, o] += rate_readout * mo[o] * x1[j]
                    if mask2[j, o]:
                        out2[j, o] += rate_readout * mo[o] * x2[j]
            if not hidden:
                continue
            for i in range(n):
                sum1, sum2 = 0.0, 0.0
                for c in range(classes):
                    sum1 += feedback[0, c, i] * error[c]
                    sum2 += feedback[1, c, i] * error[c]
                m1[i] = beta * m1[i] + (1.0 - beta) * sum1
                m2[i] = beta * m2[i] + (1.0 - beta) * sum2
            for j in range(n_in):
                for i in range(n):
                    e_in[j, i] = lam * e_in[j, i] + x0[j] * open1[i]
                    w_in[j, i] += rate_hidden * m1[i] * e_in[j, i]
            for j in range(n):
                for i in range(n):
                    e_1[j, i] = lam * e_1[j, i] + x1[j] * open1[i]
                    within1[j, i] += rate_hidden * m1[i] * e_1[j, i]
                    e_12[j, i] = lam * e_12[j, i] + x1[j] * open2[i]
                    across[j, i] += rate_hidden * m2[i] * e_12[j, i]
                    e_2[j, i] = lam * e_2[j, i] + x2[j] * open2[i]
                    within2[j, i] += rate_hidden * m2[i] * e_2[j, i]
'''

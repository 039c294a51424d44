"""The compiled way back: through the log of the way forward, from the last event to the first.

The adjoint y of a neuron's variables goes back by the transpose of the propagator (`mathematics.back`). What else
happens, with y of just after an event, M the matrix of the equations, and G the derivative of the loss with respect
to a
spike time t:

- an arrival of weight w at a variable e: dL/dw += y_e, dL/dt_arrival += -(y M)_e w, and that of its source and delay;
- the end of a hold at T, from which v moves with v'(T): G += -y_v v'(T) after a reset to a value; after one by
  subtraction G += y_v (v'(t-) - v'(T)), and y_v goes on to the spike; before it v is held, so that y_v = 0;
- a spike at a crossing: y_v += -G / v'(t-), dL/dthreshold += G / v'(t-);
- a spike because of a jump of v, or of being above the threshold at the end of a hold: G goes to that event's time.
"""

#: columns of the derivatives of a neuron's numbers; then for each chain those of s, r, gain and factor
NUMBER_NAMES = ("rate", "drift", "threshold", "reset", "down", "hold")
CHAIN_NAMES = ("s", "r", "gain", "factor")

ARGUMENTS = {  # that are passed on together
    "{cells}": "pops, c, y, drift, frame",
    "{readouts}": "rho, sharp, latest, leaning",
    "{sums}": "d_weights, d_delays, d_times",
    "{room}": "numbers, a, table, tmp",
    "{groups}": "g_begin, g_end, g_proj, g_rec, g_time",
    "{kept}": "stack, tail, out",
}

TEXT = '''
@plain
def pull(p, t, {cells}, {readouts}, {kept}, {room}):
    """Bring the adjoints of a population back to time t."""
    dt = frame[p] - t
    if not dt > 0.0:
        return
    n, chains, stride, at, n_at = pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_x_at], pops[p,
P_n_at]
    ca, step, width = pops[p, P_c_at], pops[p, P_c_step], pops[p, P_width]
    silent = pops[p, P_kind] == SILENT
    each = step != 0
    if silent and numbers[N_LARGEST] != 0:
        for k in range(n_at, n_at + n):  # one whose largest v lies in between goes back in two parts
            each |= sharp[k] != 0.0 and not leaning[k] > 0.0 and t <= latest[k] < frame[p]
    xa = tail[p] + 1
    if numbers[N_STACKS] != 0:
        tail[p] = np.int64(stack[tail[p]])
    for block in range(n if each else 1):
        lo, hi, cb = (block, block + 1, ca + block * step) if each else (0, n, ca)
        parts, upto = 1, dt
        if silent and numbers[N_LARGEST] != 0:
            for k in range(lo, hi):
                place = n_at + k
                if sharp[place] != 0.0 and leaning[place] > 0.0 and latest[place] == frame[p]:
                    y[at + k] += sharp[place]
                elif each and sharp[place] != 0.0 and not leaning[place] > 0.0 and t <= latest[place] < frame[p]:
                    parts, upto = 2, frame[p] - latest[place]
        for part in range(parts):
            span = upto if part == 0 else dt - upto
            if numbers[N_STACKS] != 0:
                for v in range(1 + chains * stride if parts == 2 else 0):
                    if part == 0:
                        tmp[v] = stack[xa + v * n + lo]
                    else:
                        stack[xa + v * n + lo] = tmp[v]
                if parts == 2 and part == 0:
                    forth(stack, xa, n, lo, hi, chains, stride, c, cb, drift, n_at, dt - upto)
                weigh(stack, xa, y, at, n, lo, hi, chains, stride, c, cb, drift, n_at, span, rho, n_at, out, pops[p,
                      P_out_at], width, a, table)
            back(y, at, n, lo, hi, chains, stride, c, cb, span)
            if silent:
                fed_back(y, at, n, lo, hi, chains, stride, c, cb, span, rho, n_at, a, table)
            if part == 0 and parts == 2:
                y[at + lo] += sharp[n_at + lo]
    frame[p] = t


@plain
def peek(p, k, chain, dt, pops, c, y):
    """The adjoints of v and of a chain dt ms before the frame."""
    n, stride, at = pops[p, P_size], pops[p, P_stride], pops[p, P_x_at]
    ca = pops[p, P_c_at] + k * pops[p, P_c_step]
    m = c[ca + RATE]
    v = y[at + k] * exp(-m * dt)
    if chain < 0:
        return v, 0.0, 0.0
    block, i = ca + HEAD + chain * BLOCK, at + n * (1 + stride * chain) + k
    s, gain = c[block + S], c[block + GAIN]
    now = y[i] * exp(-s * dt) + gain * two(s, m, dt) * y[at + k]
    if stride == 1:
        return v, now, 0.0
    r = c[block + R]
    return v, now, y[i + n] * exp(-r * dt) + two(r, s, dt) * y[i] + gain * three(r, s, m, dt) * y[at + k]


@plain
def put_back(p, k, dt, v, pops, c, y):
    """Write into the frame an adjoint of v that is `v` dt ms before it, where the others are as they are."""
    n, chains, stride, at = pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_x_at]
    ca = pops[p, P_c_at] + k * pops[p, P_c_step]
    m = c[ca + RATE]
    change = v * exp(m * dt) - y[at + k]
    for j in range(chains):
        block, i = ca + HEAD + j * BLOCK, at + n * (1 + stride * j) + k
        s, gain = c[block + S], c[block + GAIN]
        less = gain * two(s, m, dt) * change * exp(s * dt)
        if stride == 2:
            r = c[block + R]
            y[i + n] -= (gain * three(r, s, m, dt) * change - two(r, s, dt) * less) * exp(r * dt)
        y[i] -= less
    y[at + k] += change


@plain
def pushed(w, v, now, gain, s):
    """The sum of w (gain v - s now): by how much what arrives would move the loss if it came later."""
    a0 = a1 = a2 = a3 = 0.0  # four sums at a time, as each addition waits for the one before
    one, two_, three_, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    whole = np.uint64(w.size) & ~three_
    for k in range(np.uint64(0), whole, four):
        a0 += w[k] * (gain * v[k] - s * now[k])
        a1 += w[k + one] * (gain * v[k + one] - s * now[k + one])
        a2 += w[k + two_] * (gain * v[k + two_] - s * now[k + two_])
        a3 += w[k + three_] * (gain * v[k + three_] - s * now[k + three_])
    for k in range(whole, np.uint64(w.size)):
        a0 += w[k] * (gain * v[k] - s * now[k])
    return (a0 + a1) + (a2 + a3)


@plain
def gather(p, e, last, dt, chain, base, weight_at, weight_step, delay_at, delay_step, pops, targets, weights, c, y,
           d_weights, d_delays):
    """Give weights and delays what arrivals dt ms before the frame brought, at neurons of one set of numbers; return by
    how much the loss moves if all come later."""
    n, ca = pops[p, P_size], pops[p, P_c_at]
    block, at = ca + HEAD + chain * BLOCK, pops[p, P_x_at]
    m, s, gain, factor = c[ca + RATE], c[block + S], c[block + GAIN], c[block + FACTOR]
    em, es, ks, i, total = exp(-m * dt), exp(-s * dt), gain * two(s, m, dt), at + n * (1 + chain), 0.0
    for q in range(e, last):
        k = np.int64(targets[base + q])
        now = y[i + k] * es + ks * y[at + k]
        d_weights[weight_at + q * weight_step] += factor * now
        one = -weights[weight_at + q * weight_step] * factor * (gain * (y[at + k] * em) - s * now)
        total += one
        if delay_step != 0:
            d_delays[delay_at + q] += one
    return total


@inlined
def give_back(g, {groups}, pops, projs, targets, weights, c, y, drift, frame, {readouts}, carry, {kept}, {sums},
              {room}):
    """Go back over the arrival of a spike at the targets of one delay."""
    j, e, last, t = g_proj[g], g_begin[g], g_end[g], g_time[g]
    p = projs[j, J_target]
    n, chains, stride, n_at, step = (pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_n_at], pops[p,
                                     P_c_step])
    stacks, silent = numbers[N_STACKS] != 0, pops[p, P_kind] == SILENT
    if stacks or silent or (last - e) * SHARE_OF_ALL >= n:
        pull(p, t, {cells}, {readouts}, {kept}, {room})
    dt = frame[p] - t
    chain, behind = projs[j, J_chain], projs[j, J_behind]
    weight_at, weight_step, base = projs[j, J_weight_at], projs[j, J_weight_step], projs[j, J_synapses_at]
    delay_at, delay_step = projs[j, J_delay_at], projs[j, J_delay_step]
    first, at = np.int64(targets[base + e]), pops[p, P_x_at]
    total = 0.0
    row_of_all = np.int64(targets[base + last - 1]) - first == last - 1 - e
    alike = row_of_all and step == 0 and stride == 1 and weight_step == 1 and delay_step == 0
    if alike and dt == 0.0 and chain >= 0 and not stacks:
        block, i = pops[p, P_c_at] + HEAD + chain * BLOCK, at + n * (1 + chain)
        s, gain, factor = c[block + S], c[block + GAIN], c[block + FACTOR]
        w, dw = weights[weight_at + e:weight_at + last], d_weights[weight_at + e:weight_at + last]
        v, now = y[at + first:at + first + last - e], y[i + first:i + first + last - e]
        for k in range(np.uint64(last - e)):
            dw[k] += factor * now[k]
        if numbers[N_TIMES] != 0 or pops[projs[j, J_source], P_kind] != SOURCE:
            total = -factor * pushed(w, v, now, gain, s)
    elif chain >= 0 and stride == 1 and step == 0 and not stacks:
        total = gather(p, e, last, dt, chain, base, weight_at, weight_step, delay_at, delay_step, pops, targets,
                       weights, c, y, d_weights, d_delays)
    else:
        for q in range(e, last):
            k = np.int64(targets[base + q])
            ca = pops[p, P_c_at] + k * step
            v, now, rise = peek(p, k, chain, dt, pops, c, y)
            w = weights[weight_at + q * weight_step]
            if chain < 0:
                d_weights[weight_at + q * weight_step] += v
                one = w * c[ca + RATE] * v
                if silent:  # what comes later is part of the integral for a shorter time
                    one -= w * rho[n_at + k]
            else:
                block = ca + HEAD + chain * BLOCK
                factor = c[block + FACTOR]
                d_weights[weight_at + q * weight_step] += factor * (rise if behind != 0 else now)
                if behind == 0:
                    one = -w * factor * (c[block + GAIN] * v - c[block + S] * now)
                else:
                    one = -w * factor * (now - c[block + R] * rise)
                if stacks:
                    out[pops[p, P_out_at] + k * pops[p,
                            P_width] + TOP + 4 * chain + 3] += w * (rise if behind else now)
            total += one
            if delay_step != 0:
                d_delays[delay_at + q] += one
    if silent and numbers[N_LARGEST] != 0:
        for q in range(e, last):
            place = n_at + np.int64(targets[base + q])
            if sharp[place] != 0.0 and latest[place] == t and leaning[place] != 0.0 and carry[place] == 0.0:
                one = sharp[place] * leaning[place]
                carry[place] = 1.0  # of several arrivals at that instant one takes it: it counts once
                total += one
                if delay_step != 0:
                    d_delays[delay_at + q] += one
    if delay_step == 0:
        d_delays[delay_at] += total
    d_times[g_rec[g]] += total


@plain
def through(samples, marks, end, pops, projs, targets, weights, c, drift, y, frame, carry, {groups}, l_kind, l_item,
         s_time, s_id, s_of, s_slope, s_release, s_why, s_cause, s_cause_e, rhos, sharps, latests, leanings, stack,
         tails, out, {sums}, d_start, {room}):
    for b in range(samples[0], samples[1]):
        {readouts} = rhos[b], sharps[b], latests[b], leanings[b]
        tail = tails[b]
        for k in range(y.size):
            y[k] = 0.0
        for k in range(carry.size):
            carry[k] = 0.0
        for p in range(pops.shape[0]):
            frame[p] = end
        for entry in range(marks[b + 1, 2] - 1, marks[b, 2] - 1, -1):
            item = l_item[entry]
            if l_kind[entry] == GROUP:
                give_back(item, {groups}, pops, projs, targets, weights, c, y, drift, frame, {readouts}, carry,
                          {kept}, {sums}, {room})
                continue
            p, k, t = s_of[item], s_id[item], s_time[item]
            if pops[p, P_kind] == SOURCE:
                continue
            ca, place = pops[p, P_c_at] + k * pops[p, P_c_step], pops[p, P_n_at] + k
            row = pops[p, P_out_at] + k * pops[p, P_width]
            if l_kind[entry] == RELEASE:
                t += c[ca + HOLD]
            if numbers[N_STACKS] != 0 or (frame[p] - t) * c[pops[p, P_fastest_at]] > FAR:
                pull(p, t, {cells}, {readouts}, {kept}, {room})
            dt = frame[p] - t
            if l_kind[entry] == RELEASE:
                v, _, _ = peek(p, k, np.int64(-1), dt, pops, c, y)
                out[row + O_hold] -= v * s_release[item]
                if c[ca + DOWN] == 0.0:
                    out[row + O_reset] += v
                    d_times[item] -= v * s_release[item]
                else:
                    out[row + O_down] -= v
                    d_times[item] += v * (s_slope[item] - s_release[item])
                    carry[place] = v
                put_back(p, k, dt, 0.0, pops, c, y)
                continue
            v, given = carry[place], d_times[item]
            carry[place] = 0.0
            if s_why[item] == SMOOTH:
                v -= given / s_slope[item]
                out[row + O_threshold] += given / s_slope[item]
            elif given != 0.0:
                d_times[s_cause[item]] += given
                if s_why[item] == AGAIN:
                    out[row + O_hold] += given
                else:
                    d_delays[s_cause_e[item]] += given
            put_back(p, k, dt, v, pops, c, y)
        for p in range(pops.shape[0]):
            if pops[p, P_kind] != SOURCE:
                pull(p, 0.0, {cells}, {readouts}, {kept}, {room})
        for k in range(y.size):
            d_start[k] += y[k]
'''

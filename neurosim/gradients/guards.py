"""When a neuron may spike next, as text that `forward` continues: bounds that cost a division, and the least of them.

Arrivals of one time are looked at together, after the last of them, as no spike can come in between.
"""

TEXT = '''
@plain
def guard(p, k, t, {cells}, {guards}, from_e, rec):
    """Note a time before which a neuron does not spike.

    `rec` is the spike that has just arrived at v, with the delay at `from_e`, or after which the neuron is free again,
    where `from_e` is ITSELF; else `from_e` is NOTHING_NEW.
    """
    place = pops[p, P_n_at] + k
    if held[place] > t:
        wake[place], sure[place] = held[place], 0
        return
    ca = look(p, k, t, {cells})
    before = wake[place]
    wake[place] = t + earliest(row, np.int64(0), c, ca, pops[p, P_chains], pops[p, P_stride], np.int64(CHAINS))
    sure[place] = np.int64(row[SURE])
    if not row[V] - c[ca + THRESHOLD] > 0.0:
        why[place] = SMOOTH
        return
    wake[place], sure[place] = t, 1
    if from_e != NOTHING_NEW:
        why[place], cause[place], cause_e[place] = AGAIN if from_e == ITSELF else JUMPED, rec, from_e
    elif before != t:
        why[place] = SMOOTH


@plain
def guard_all(p, t, lo, hi, pops, c, x, drift, held, wake, sure, why, any_held):
    """The same for neurons from lo to hi that have one chain, the same numbers, and a frame of now."""
    n, at, n_at, ca = pops[p, P_size], pops[p, P_x_at], pops[p, P_n_at], pops[p, P_c_at]
    m, threshold = c[ca + RATE], c[ca + THRESHOLD]
    pull, most = c[ca + HEAD + PULL], c[ca + HEAD + MOST]
    v, i = x[at + lo:at + hi], x[at + n + lo:at + n + hi]
    d, out = drift[n_at + lo:n_at + hi], wake[n_at + lo:n_at + hi]
    certain, cause = sure[n_at + lo:n_at + hi], why[n_at + lo:n_at + hi]
    for k in range(np.uint64(hi - lo)):  # one that jumped above at this very time spikes, and because of that
        above = v[k] > threshold
        certain[k] = 1 if above else 0
        cause[k] = cause[k] if above and out[k] == t else SMOOTH
    for k in range(np.uint64(hi - lo)):
        f, more, constant = v[k] - threshold, max(pull * i[k], 0.0), d[k] - m * threshold
        strongest = constant + more - m * f
        # the most that f can become, where nothing but the current drives it, or where the drive alone would
        top = f + more * most if constant <= m * f else constant + m * more * most
        soon = t - CAUTION * f / strongest
        never = not (top > 0.0 and strongest > 0.0)
        out[k] = t if f > 0.0 else inf if never else soon
    if any_held:
        until = held[n_at + lo:n_at + hi]
        for k in range(np.uint64(hi - lo)):
            holds = until[k] > t
            out[k] = until[k] if holds else out[k]
            certain[k] = 0 if holds else certain[k]


@inlined
def see(t, pops, c, x, drift, held, wake, sure, why, least, {unseen}, numbers):
    """Look at the neurons that arrivals of time t have reached."""
    for p in range(pops.shape[0]):
        if unseen_from[p] < unseen_to[p]:
            guard_all(p, t, unseen_from[p], unseen_to[p], pops, c, x, drift, held, wake, sure, why, n_held[p] > t)
            least[p] = lowest(p, pops, wake, numbers)
            unseen_from[p], unseen_to[p] = pops[p, P_size], 0
    numbers[N_UNSEEN] = 0


@plain
def lowest(p, pops, wake, numbers):
    """The least time before which no neuron of a population spikes."""
    bits = wake[pops[p, P_n_at]:pops[p, P_n_at] + pops[p, P_size]].view(np.int64)
    low = np.int64(0x7FF0000000000000)  # of inf; numbers that are not negative have the order of their bits,
    for k in range(np.uint64(bits.size)):  # and the least of whole numbers is found in vectors
        low = bits[k] if bits[k] < low else low
    numbers[N_LOW] = low
    return numbers.view(np.float64)[N_LOW]


@inlined
def first_below(p, soon, pops, wake):
    """The first neuron whose time is not after `soon`, or -1; eight at a time, which vectorises."""
    n, times = pops[p, P_size], wake[pops[p, P_n_at]:pops[p, P_n_at] + pops[p, P_size]]
    eight = np.uint64(8)
    whole = np.uint64(n) & ~np.uint64(7)
    for begin in range(np.uint64(0), whole, eight):
        found = 0
        for k in range(begin, begin + eight):
            found += times[k] <= soon
        if found:
            for k in range(begin, begin + eight):
                if times[k] <= soon:
                    return np.int64(k)
    for k in range(whole, np.uint64(n)):
        if times[k] <= soon:
            return np.int64(k)
    return np.int64(-1)
'''

"""The compiled way forward: many samples, each from event to event, with a log that the way back reads from its end.

All neurons of a population have one clock, their *frame*. An arrival that reaches many of them brings all of them to
its
time, in loops that vectorise; one that reaches few is written into the frame as what would have had the same effect
from
then on. Of every neuron a time is known before which it does not spike, by a bound that costs a division, and the least
of these times of each population; when it comes the crossing is computed, by `exponentials.first_crossing`.

The order of events of one time is that of the event mode: arrivals, by projection and source; ends of holds; spikes.
"""

from neurosim.gradients import guards

# columns of the table of populations
POPULATION = ("kind", "size", "chains", "stride", "x_at", "n_at", "c_at", "c_step", "fastest_at", "width",
              "out_at")
# columns of the table of projections
PROJECTION = ("source", "source_first", "n_source", "target", "rows_at", "synapses_at", "weight_at", "weight_step",
              "delay_at", "delay_step", "chain", "behind")
SOURCE, SPIKING, SILENT = range(3)  #: kinds of populations
GROUP, RELEASE, SPIKE = range(3)  #: kinds of entries of a log
NOTHING_NEW, ITSELF = -1, -2
RELEASES = 1 << 60  #: the rank of ends of holds, after all arrivals
SMOOTH, JUMPED, AGAIN = range(3)  #: why a neuron spiked: a crossing, an arrival at v, still above after its last spike
DONE, MANY = 0, -1  #: why the loop returned: at the end, too many spikes; else the sum of what it lacks room for
LACKS_QUEUE, LACKS_LOG, LACKS_SPIKES, LACKS_STACK = 1, 2, 4, 8
#: what `numbers` counts and says; LOW is a time, as its bits
NUMBERS = ("SIZE", "FREE", "SPIKES", "GROUPS", "LOG", "STACK", "STACKS", "LARGEST", "UNSEEN", "LOW",
           "TIMES")
FAR = 6.0  #: of the fastest time constants that a frame may lie back
SHARE_OF_ALL = 6  #: an arrival that reaches more than one in so many neurons brings all to its time

ARGUMENTS = {  # that are passed on together
    "{guards}": "held, wake, sure, why, cause, cause_e",
    "{cells}": "pops, c, x, drift, frame, row",
    "{unseen}": "n_held, unseen_from, unseen_to",
    "{kept}": "total, largest, latest, leaning, stack, tail",
    "{room}": "numbers, a, table",
    "{slots}": "time, order, item, slot_at, slot_of, slot_rec, free",
    "{groups}": "g_begin, g_end, g_proj, g_rec, g_time",
    "{log}": "l_kind, l_item",
    "{spikes}": "s_time, s_id, s_of, s_slope, s_release, s_why, s_cause, s_cause_e",
    "{net}": "projs, outs, out_list, rows, delays",
}

TEXT = guards.TEXT + '''
@plain
def bring(p, t, pops, c, x, drift, frame, {kept}, {room}):
    """Bring all neurons of a population to time t; keep what they were, where the rates' gradients are wanted."""
    dt = t - frame[p]
    if not dt > 0.0:
        return
    n, chains, stride, x_at, n_at = pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_x_at], pops[p,
P_n_at]
    ca, step = pops[p, P_c_at], pops[p, P_c_step]
    if numbers[N_STACKS] != 0:  # each entry begins with where the one before of this population is
        stack[numbers[N_STACK]] = tail[p]
        tail[p] = numbers[N_STACK]
        for k in range(n * (1 + chains * stride)):
            stack[numbers[N_STACK] + 1 + k] = x[x_at + k]
        numbers[N_STACK] += 1 + n * (1 + chains * stride)
    for block in range(1 if step == 0 else n):
        lo, hi, cb = (0, n, ca) if step == 0 else (block, block + 1, ca + block * step)
        if pops[p, P_kind] == SILENT:
            area(x, x_at, n, lo, hi, chains, stride, c, cb, drift, n_at, dt, total, n_at, a, table)
            if numbers[N_LARGEST] != 0:
                summits(x, x_at, n, lo, hi, chains, c, cb, drift, n_at, frame[p], t, largest, latest, leaning)
        forth(x, x_at, n, lo, hi, chains, stride, c, cb, drift, n_at, dt)
    frame[p] = t


@plain
def look(p, k, t, {cells}):
    """Write the state of a neuron at time t into the row that `exponentials` reads; return where its numbers are."""
    n, chains, stride, at, n_at = pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_x_at], pops[p,
P_n_at]
    ca = pops[p, P_c_at] + k * pops[p, P_c_step]
    row[V], row[DRIFT] = x[at + k], drift[n_at + k]
    for j in range(chains):
        for b in range(stride):
            row[CHAINS + j * stride + b] = x[at + n * (1 + stride * j + b) + k]
    dt = t - frame[p]
    if dt > 0.0:
        relax(row, np.int64(0), c, ca, chains, stride, np.int64(CHAINS), dt, True)
    return ca


@plain
def shove(p, k, dt, until, chain, behind, amount, pops, c, x):
    """Write into the frame what arrives dt ms after it, at a neuron whose v is held until `until` ms after it; what
    v does meanwhile is written over when the hold ends."""
    n, stride, at = pops[p, P_size], pops[p, P_stride], pops[p, P_x_at]
    ca = pops[p, P_c_at] + k * pops[p, P_c_step]
    m = c[ca + RATE]
    if chain < 0:
        if until < dt:
            x[at + k] += amount * exp(m * dt)
        return
    block = ca + HEAD + chain * BLOCK
    s, gain, i = c[block + S], c[block + GAIN], at + n * (1 + stride * chain)
    amount *= c[block + FACTOR]
    if behind == 0:
        amount *= exp(s * dt)
        x[i + k] += amount
        x[at + k] -= gain * two(s, m, dt) * amount * exp(m * dt)
        return
    r = c[block + R]
    amount *= exp(r * dt)
    less = two(r, s, dt) * amount * exp(s * dt)
    x[i + n + k] += amount
    x[i + k] -= less
    x[at + k] -= gain * (three(r, s, m, dt) * amount - two(s, m, dt) * less) * exp(m * dt)


@plain
def put_v(p, k, dt, v, pops, c, x, drift):
    """Write into the frame a v that dt ms after it is `v`."""
    n, chains, stride, at = pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_x_at]
    ca = pops[p, P_c_at] + k * pops[p, P_c_step]
    m = c[ca + RATE]
    v -= drift[pops[p, P_n_at] + k] * two(0.0, m, dt)
    for j in range(chains):
        block, i = ca + HEAD + j * BLOCK, at + n * (1 + stride * j) + k
        v -= c[block + GAIN] * two(c[block + S], m, dt) * x[i]
        if stride == 2:
            v -= c[block + GAIN] * three(c[block + R], c[block + S], m, dt) * x[i + n]
    x[at + k] = v * exp(m * dt)


@plain
def slope_of(row, c, ca, chains, stride):
    """v' of a free neuron."""
    slope = row[DRIFT] - c[ca + RATE] * row[V]
    for j in range(chains):
        slope += c[ca + HEAD + j * BLOCK + GAIN] * row[CHAINS + j * stride]
    return slope


@inlined
def send(p, k, rec, t, pops, {net}, {slots}, numbers):
    """Put a spike under way, once for each projection with targets."""
    for o in range(outs[p], outs[p + 1]):
        j = out_list[o]
        source = k - projs[j, J_source_first]
        if source < 0 or source >= projs[j, J_n_source]:
            continue
        low, high = rows[projs[j, J_rows_at] + source], rows[projs[j, J_rows_at] + source + 1]
        if low == high:
            continue
        numbers[N_FREE] -= 1
        slot = free[numbers[N_FREE]]
        slot_at[slot], slot_of[slot], slot_rec[slot] = low, j, rec
        then = t + delays[projs[j, J_delay_at] + low * projs[j, J_delay_step]]
        numbers[N_SIZE] = push(time, order, item, numbers[N_SIZE], then, (j << 32) + source, slot)


@plain
def scatter(p, t, e, last, base, weight_at, weight_step, targets, weights, {cells}, {guards}):
    """`shove` and `guard` for arrivals at neurons of one chain and the same numbers, whose exponentials are the same;
    return the least time before which none of them spikes."""
    n, at, n_at, ca = pops[p, P_size], pops[p, P_x_at], pops[p, P_n_at], pops[p, P_c_at]
    block, dt = ca + HEAD, t - frame[p]
    m, threshold, s = c[ca + RATE], c[ca + THRESHOLD], c[block + S]
    pull, most = c[block + PULL], c[block + MOST]
    em, es, flat, ks = exp(-m * dt), exp(-s * dt), two(0.0, m, dt), c[block + GAIN] * two(s, m, dt)
    up = c[block + FACTOR] * exp(s * dt)
    less, low = ks * up * exp(m * dt), inf
    for q in range(e, last):
        k, w = np.int64(targets[base + q]), weights[weight_at + q * weight_step]
        x[at + n + k] += up * w
        x[at + k] -= less * w
        place = n_at + k
        if held[place] > t:
            wake[place], sure[place] = held[place], 0
        else:
            f = x[at + k] * em + drift[place] * flat + ks * x[at + n + k] - threshold
            more, constant = max(pull * es * x[at + n + k], 0.0), drift[place] - m * threshold
            strongest = constant + more - m * f
            top = f + more * most if constant <= m * f else constant + m * more * most
            if not (f > 0.0 and wake[place] == t):  # one that jumped above at this very time spikes because of that
                why[place] = SMOOTH
            sure[place] = 1 if f > 0.0 else 0
            wake[place] = t if f > 0.0 else t - CAUTION * f / strongest if top > 0.0 and strongest > 0.0 else inf
        low = min(low, wake[place])
    return low


@inlined
def receive(slot, t, end, pops, projs, rows, targets, weights, delays, c, x, drift, frame, row, {guards}, {kept},
            slot_at, slot_of, slot_rec, {groups}, {log}, least, {unseen}, {room}):
    """Deliver the synapses of one delay; return where the next ones of the row are."""
    j, rec, e = slot_of[slot], slot_rec[slot], slot_at[slot]
    p = projs[j, J_target]
    delay_at, delay_step, base = projs[j, J_delay_at], projs[j, J_delay_step], projs[j, J_synapses_at]
    last = e + 1
    if delay_step == 0:
        last = end
    else:
        while last < end and delays[delay_at + last] == delays[delay_at + e]:
            last += 1
    g = numbers[N_GROUPS]
    g_begin[g], g_end[g], g_proj[g], g_rec[g], g_time[g] = e, last, j, rec, t
    l_kind[numbers[N_LOG]], l_item[numbers[N_LOG]] = GROUP, g
    numbers[N_LOG] += 1
    numbers[N_GROUPS] += 1
    n, chains, stride, n_at, step = (pops[p, P_size], pops[p, P_chains], pops[p, P_stride], pops[p, P_n_at], pops[p,
                                     P_c_step])
    many = (last - e) * SHARE_OF_ALL >= n
    fastest = c[pops[p, P_fastest_at]]
    if many or numbers[N_STACKS] != 0 or pops[p, P_kind] == SILENT or (t - frame[p]) * fastest > FAR:
        bring(p, t, pops, c, x, drift, frame, {kept}, {room})
    dt = t - frame[p]
    chain, behind = projs[j, J_chain], projs[j, J_behind]
    weight_at, weight_step = projs[j, J_weight_at], projs[j, J_weight_step]
    silent, first = pops[p, P_kind] == SILENT, np.int64(targets[base + e])
    row_of_all = np.int64(targets[base + last - 1]) - first == last - 1 - e
    if dt == 0.0 and chain >= 0 and step == 0 and row_of_all:
        factor = c[pops[p, P_c_at] + HEAD + chain * BLOCK + FACTOR]
        at = pops[p, P_x_at] + n * (1 + stride * chain + behind) + first
        if weight_step == 0:
            for k in range(last - e):
                x[at + k] += factor * weights[weight_at]
        else:
            i, w = x[at:at + last - e], weights[weight_at + e:weight_at + last]
            for k in range(np.uint64(last - e)):
                i[k] += factor * w[k]
        if silent:
            return last
        if chains == 1 and stride == 1:
            unseen_from[p], unseen_to[p] = min(unseen_from[p], first), max(unseen_to[p], first + last - e)
            numbers[N_UNSEEN] = 1  # what else arrives now is looked at together
            return last
        for k in range(first, first + last - e):
            guard(p, k, t, {cells}, {guards}, np.int64(NOTHING_NEW), rec)
            least[p] = min(least[p], wake[n_at + k])
        return last
    if chain >= 0 and chains == 1 and stride == 1 and step == 0 and not silent:
        least[p] = min(least[p], scatter(p, t, e, last, base, weight_at, weight_step, targets, weights, {cells},
                                         {guards}))
        return last
    for q in range(e, last):
        k = np.int64(targets[base + q])
        until = held[n_at + k] - frame[p] if held[n_at + k] >= t else -inf
        if until < dt or chain >= 0:
            shove(p, k, dt, until, chain, behind, weights[weight_at + q * weight_step], pops, c, x)
            if not silent:
                guard(p, k, t, {cells}, {guards}, np.int64(delay_at + q * delay_step if chain < 0 else NOTHING_NEW),
                      rec)
                least[p] = min(least[p], wake[n_at + k])
    return last


@inlined
def spike(p, k, t, {cells}, {guards}, {kept}, s_slope, s_release, s_why, s_cause, s_cause_e, s_time, s_id,
          s_of, {log}, n_held, time, order, item, {room}):
    """Record the spike of a neuron and what it does to itself; return its number."""
    place = pops[p, P_n_at] + k
    if numbers[N_STACKS] != 0 or (t - frame[p]) * c[pops[p, P_fastest_at]] > FAR:
        bring(p, t, pops, c, x, drift, frame, {kept}, {room})
    ca = look(p, k, t, {cells})
    rec = numbers[N_SPIKES]
    numbers[N_SPIKES] += 1
    s_time[rec], s_id[rec], s_of[rec] = t, k, p
    s_slope[rec] = slope_of(row, c, ca, pops[p, P_chains], pops[p, P_stride])
    s_why[rec], s_cause[rec], s_cause_e[rec] = why[place], cause[place], cause_e[place]
    l_kind[numbers[N_LOG]], l_item[numbers[N_LOG]] = SPIKE, rec
    numbers[N_LOG] += 1
    hold = c[ca + HOLD]
    s_release[rec] = c[ca + RESET] if c[ca + DOWN] == 0.0 else row[V] - c[ca + DOWN]  # v, until the hold ends
    if hold > 0.0:
        held[place] = t + hold
        n_held[p] = max(n_held[p], t + hold)
        numbers[N_SIZE] = push(time, order, item, numbers[N_SIZE], t + hold, np.int64(RELEASES), rec)
        wake[place], sure[place] = t + hold, 0
    return rec


@inlined
def release(rec, t, {cells}, {guards}, s_slope, s_release, s_id, s_of, {log}, least, {kept}, {room}):
    """End the hold after a spike: v begins to move."""
    p, k = s_of[rec], s_id[rec]
    if numbers[N_STACKS] != 0 or (t - frame[p]) * c[pops[p, P_fastest_at]] > FAR:
        bring(p, t, pops, c, x, drift, frame, {kept}, {room})
    put_v(p, k, t - frame[p], s_release[rec], pops, c, x, drift)
    ca = look(p, k, t, {cells})
    s_release[rec] = slope_of(row, c, ca, pops[p, P_chains], pops[p, P_stride])
    l_kind[numbers[N_LOG]], l_item[numbers[N_LOG]] = RELEASE, rec
    numbers[N_LOG] += 1
    guard(p, k, t, {cells}, {guards}, np.int64(ITSELF), rec)
    least[p] = min(least[p], wake[pops[p, P_n_at] + k])


@plain
def through(samples, starts, in_time, in_id, in_of, end, most_spikes, pops, projs, outs, out_list, rows, targets,
         weights, delays, c, drift, start, x, frame, {guards}, least, {unseen}, row, work, places, rates, roots,
         {slots}, {groups}, {log}, {spikes}, marks, totals, largests, latests, leanings, stack, tails, {room}):
    while samples[0] < samples[1]:
        b = samples[0]
        numbers[N_SPIKES], numbers[N_GROUPS], numbers[N_LOG], numbers[N_STACK] = (marks[b, 0], marks[b, 1], marks[b,
                2], marks[b, 3])
        numbers[N_SIZE], numbers[N_FREE], numbers[N_UNSEEN], now = 0, free.size, 0, 0.0
        for slot in range(free.size):
            free[slot] = slot
        total, largest, latest, leaning, tail = totals[b], largests[b], latests[b], leanings[b], tails[b]
        for k in range(x.size):
            x[k] = start[k]
        for k in range(held.size):
            held[k], wake[k], sure[k], total[k], largest[k], latest[k] = -inf, inf, 0, 0.0, -inf, 0.0
            leaning[k] = 0.0
        for p in range(pops.shape[0]):
            frame[p], least[p], n_held[p], tail[p] = 0.0, inf, -inf, -1
            unseen_from[p], unseen_to[p] = pops[p, P_size], 0
            if pops[p, P_kind] == SPIKING:
                alike = pops[p, P_chains] == 1 and pops[p, P_stride] == 1 and pops[p, P_c_step] == 0
                if alike:
                    guard_all(p, 0.0, np.int64(0), pops[p, P_size], pops, c, x, drift, held, wake, sure, why, False)
                for k in range(0 if alike else pops[p, P_size]):
                    guard(p, k, 0.0, {cells}, {guards}, np.int64(NOTHING_NEW), np.int64(-1))
                least[p] = lowest(p, pops, wake, numbers)
        first = numbers[N_SPIKES]
        n_out = projs.shape[0]
        if first + starts[b + 1] - starts[b] + 2 >= s_time.size:
            return LACKS_SPIKES
        for q in range(starts[b], starts[b + 1]):
            rec = numbers[N_SPIKES]
            s_time[rec], s_id[rec], s_of[rec] = in_time[q], in_id[q], in_of[q]
            s_slope[rec] = s_release[rec] = 0.0
            s_why[rec], s_cause[rec], s_cause_e[rec] = SMOOTH, -1, -1
            l_kind[numbers[N_LOG]], l_item[numbers[N_LOG]] = SPIKE, rec
            if numbers[N_SIZE] + n_out + 2 > time.size or numbers[N_FREE] < n_out:
                return LACKS_QUEUE
            if numbers[N_LOG] + 4 > l_kind.size:
                return LACKS_LOG
            numbers[N_LOG] += 1
            numbers[N_SPIKES] += 1
            send(in_of[q], in_id[q], rec, in_time[q], pops, {net}, {slots}, numbers)
        spikes = 0
        while True:
            lacking = LACKS_QUEUE if numbers[N_SIZE] + n_out + 3 > time.size or numbers[N_FREE] < n_out else 0
            if numbers[N_LOG] + 4 > l_kind.size or numbers[N_GROUPS] + 2 > g_time.size:
                lacking += LACKS_LOG
            if numbers[N_SPIKES] + 2 > s_time.size:
                lacking += LACKS_SPIKES
            if numbers[N_STACKS] != 0 and numbers[N_STACK] + 2 * x.size + 8 > stack.size:
                lacking += LACKS_STACK
            if lacking != 0:
                return lacking
            if numbers[N_UNSEEN] != 0 and (numbers[N_SIZE] == 0 or time[0] > now or order[0] == RELEASES):
                see(now, pops, c, x, drift, held, wake, sure, why, least, {unseen}, numbers)
            p, soon = -1, inf
            for q in range(pops.shape[0]):
                if least[q] < soon:
                    p, soon = q, least[q]
            then = time[0] if numbers[N_SIZE] > 0 else inf
            if min(then, soon) > end:
                break
            if then <= soon:
                slot, rank = item[0], order[0]
                numbers[N_SIZE] = pop(time, order, item, numbers[N_SIZE])
                if rank == RELEASES:
                    release(slot, then, {cells}, {guards}, s_slope, s_release, s_id, s_of, {log}, least, {kept}, {room})
                    continue
                j, now = slot_of[slot], then
                stop = rows[projs[j, J_rows_at] + (rank & 0xFFFFFFFF) + 1]
                after = receive(slot, then, stop, pops, projs, rows, targets, weights, delays, c, x, drift, frame,
                                row, {guards}, {kept}, slot_at, slot_of, slot_rec, {groups}, {log}, least, {unseen},
                                {room})
                if after < stop:
                    slot_at[slot] = after
                    sent = s_time[slot_rec[slot]]
                    numbers[N_SIZE] = push(time, order, item, numbers[N_SIZE], sent + delays[projs[j,
                                           J_delay_at] + after], rank, slot)
                else:
                    free[numbers[N_FREE]] = slot
                    numbers[N_FREE] += 1
                continue
            n_at, k = pops[p, P_n_at], first_below(p, soon, pops, wake)
            if k < 0:  # the least time was only a bound
                least[p] = lowest(p, pops, wake, numbers)
                continue
            if sure[n_at + k] == 0:
                ca = look(p, k, soon, {cells})
                cross = approach(row, c, ca, pops[p, P_chains], pops[p, P_stride], min(then, end) - soon)
                sure[n_at + k] = np.int64(row[SURE])
                if cross < 0.0:
                    cross = first_crossing(row, np.int64(0), c, ca, pops[p, P_chains], pops[p, P_stride],
                                           np.int64(CHAINS), work, places, rates, roots)
                    sure[n_at + k] = 1
                wake[n_at + k] = soon + cross
            else:
                spikes += 1
                if spikes > most_spikes:
                    return MANY
                rec = spike(p, k, soon, {cells}, {guards}, {kept}, s_slope, s_release, s_why, s_cause,
                            s_cause_e, s_time, s_id, s_of, {log}, n_held, time, order, item, {room})
                send(p, k, rec, soon, pops, {net}, {slots}, numbers)
                if held[n_at + k] <= soon:
                    release(rec, soon, {cells}, {guards}, s_slope, s_release, s_id, s_of, {log}, least, {kept}, {room})
            least[p] = lowest(p, pops, wake, numbers)
        for p in range(pops.shape[0]):
            if pops[p, P_kind] != SOURCE:
                if numbers[N_STACKS] != 0 and numbers[N_STACK] + 2 * x.size + 8 > stack.size:
                    return LACKS_STACK
                bring(p, end, pops, c, x, drift, frame, {kept}, {room})
        marks[b + 1, 0], marks[b + 1, 1], marks[b + 1, 2], marks[b + 1, 3] = (numbers[N_SPIKES], numbers[N_GROUPS],
                numbers[N_LOG], numbers[N_STACK])
        samples[0] = b + 1
    return DONE
'''

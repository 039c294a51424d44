"""The compiled loop that goes from event to event.

The events of one time leave in this order: steps of injected currents; arrivals of spikes, by projection and then
source; Poisson events of drives; spikes of sources; and last what neurons do of themselves, their spikes. So all that
arrives at one time has been added before a neuron is compared with its threshold, as in the clocked mode.

A spike puts one event for each projection with targets into the queue. A row of synapses is sorted by delay: the event
delivers all synapses of one delay and then enters the queue again, for the next delay. A neuron's own next event is
predicted whenever something reaches it, and is valid as long as its time is the one that stands in the neuron's row;
others are skipped. Since the next arrival mostly comes before, a linear neuron at first only gets a time before
which it cannot spike; the crossing is computed when that time has come.
"""

import inspect
from functools import cache

from neurosim.engine import intrinsics, loader, queue
from neurosim.event import adaptive, exponentials
from neurosim.random import philox, uniform53

SOURCE, GIVEN, LINEAR, QUADRATIC, SILENT = range(5)  #: families of populations; a silent one never spikes
SHIFT = 60  #: the class of an event stands above this bit of its order
STEP_CURRENT, ARRIVAL, DRIVE, EMISSION, CHECK, OWN = range(6)
DONE, GROW, DRAIN, PAUSE = range(4)  #: why the loop returned
RUN, FORESEE, PEEK, START = range(4)  #: what it is called for

# columns of the table of populations
POPULATION = ("family", "size", "x_at", "width", "c_at", "c_width", "n_chains", "stride", "first", "stream", "recorded",
              "spikes")
# columns of the table of projections
PROJECTION = ("source_first", "n_source", "target", "rows_at", "synapses_at", "weight_at", "weight_step", "delay_at",
              "delay_step",
              "port", "factor", "target_first", "n_target", "arrival", "arrival_block", "spiked", "spiked_block")
# columns of the table of drives
DRIVES = ("target", "members", "n_target", "state_at", "rate_at", "rate_step", "weight_at", "weight_step", "port",
          "factor",
          "stream", "times_at", "n_times", "columns", "values_at", "gain")
# places in `numbers`
SIZE, N_FREE, N_SEEN, N_EVENTS, N_UPDATES = range(5)

_TEXT = '''
import numpy as np
from numba import njit

{constants}

{functions}

@njit(nogil=True, error_model="numpy")
def move(family, x, at, c, ca, n_chains, stride, first, t):
    if family == LINEAR or family == SILENT:
        advance_linear(x, at, c, ca, n_chains, stride, first, t)
    elif family == QUADRATIC:
        advance_parabola(x, at, c, ca, n_chains, stride, first, t)


@njit(nogil=True, error_model="numpy")
def own_event(family, x, at, c, ca, n_chains, stride, first, spare, work, places, rates, roots):
    if family == QUADRATIC:
        return next_parabola(x, at, c, ca, n_chains, stride, first)
    begin = x[at]
    if x[at + 1] > begin:
        length = first + n_chains * stride
        for k in range(length):
            spare[k] = x[at + k]
        relax(spare, np.int64(0), c, ca, n_chains, stride, first, x[at + 1] - begin, False)
        begin = x[at + 1]
        return begin + first_crossing(spare, np.int64(0), c, ca, n_chains, stride, first, work, places, rates, roots)
    return begin + first_crossing(x, at, c, ca, n_chains, stride, first, work, places, rates, roots)


@njit(nogil=True, error_model="numpy")
def own_check(x, at, c, ca, n_chains, stride, first, spare):
    """The time before which a linear neuron does not spike on its own."""
    begin = x[at]
    if x[at + 1] > begin:
        for k in range(first + n_chains * stride):
            spare[k] = x[at + k]
        relax(spare, np.int64(0), c, ca, n_chains, stride, first, x[at + 1] - begin, False)
        then = x[at + 1] + earliest(spare, np.int64(0), c, ca, n_chains, stride, first)
        x[at + SURE] = spare[SURE]
        return then
    return begin + earliest(x, at, c, ca, n_chains, stride, first)


@njit(nogil=True, error_model="numpy")
def interval(element, x, at, rate, stream, k0, k1):
    """The time to the next event of a Poisson process, whose events are counted at x[at + 1]."""
    count = np.uint64(x[at + 1])
    x[at + 1] += 1.0
    w0, w1, w2, w3 = philox(np.uint64(element), count & np.uint64(0xFFFFFFFF), np.uint64(stream),
                            count >> np.uint64(32), k0, k1)
    return -np.log(uniform53(w0, w1)) * 1000.0 / rate


@njit(nogil=True, error_model="numpy")
def foresee(p, k, t, {foresee}):
    """Put the next event of element k of population p, whose state is that of time t, into the queue."""
    family = pops[p, P_family]
    at = pops[p, P_x_at] + k * pops[p, P_width]
    ca = pops[p, P_c_at] + k * pops[p, P_c_width]
    if family == SILENT:
        return
    kind = np.int64(OWN) << SHIFT
    if family == SOURCE:
        kind = np.int64(EMISSION) << SHIFT
        then = t + interval(k, x, at, c[ca], pops[p, P_stream], k0, k1) if c[ca] > 0.0 else np.inf
        x[at] = then
    elif family == GIVEN:
        kind = np.int64(EMISSION) << SHIFT
        cursor = np.int64(x[at + 1])
        then = given[pops[p, P_c_at] + cursor] if cursor < pops[p, P_c_width] else np.inf
        x[at] = then
    elif family == LINEAR:
        then = own_check(x, at, c, ca, pops[p, P_n_chains], pops[p, P_stride], pops[p, P_first], spare)
        if x[at + SURE] == 0.0:
            kind = np.int64(CHECK) << SHIFT
        x[at + 2] = then
    else:
        then = own_event(family, x, at, c, ca, pops[p, P_n_chains], pops[p, P_stride], pops[p, P_first], spare,
                         work, places, rates, roots)
        x[at + 2] = then
    if then < np.inf:
        numbers[SIZE] = push(time, order, item, numbers[SIZE], then, kind + p, k)


@njit(nogil=True, error_model="numpy")
def send(p, k, t, {send}):
    """Put the spike of element k of population p under way, once for each projection with targets."""
    for n in range(outs[p], outs[p + 1]):
        j = out_list[n]
        source = k - projs[j, J_source_first]
        if source < 0 or source >= projs[j, J_n_source]:
            continue
        low, high = rows[projs[j, J_rows_at] + source], rows[projs[j, J_rows_at] + source + 1]
        if low == high:
            continue
        numbers[N_FREE] -= 1
        slot = free[numbers[N_FREE]]
        slot_time[slot], slot_at[slot], slot_end[slot], slot_of[slot] = t, low, high, j
        then = t + delays[projs[j, J_delay_at] + low * projs[j, J_delay_step]]
        rank = (np.int64(ARRIVAL) << SHIFT) + (j << 32) + source
        numbers[SIZE] = push(time, order, item, numbers[SIZE], then, rank, slot)


def main(task, which, budget, end, numbers, time, order, item, x, c, pops, projs, outs, out_list, ins, in_list, rows,
         targets, weights, delays, slot_time, slot_at, slot_end, slot_of, free, seen_time, seen_id, seen_of, given,
         given_id, drives, drive_x, drive_c, now, effects, spare, work, places, rates, roots, peeked, k0, k1):
    k0, k1 = np.uint64(k0), np.uint64(k1)
    if task == PEEK:
        width = pops[which, P_width]
        for k in range(pops[which, P_size]):
            at = pops[which, P_x_at] + k * width
            for n in range(width):
                peeked[k * width + n] = x[at + n]
            move(pops[which, P_family], peeked, k * width, c, pops[which, P_c_at] + k * pops[which, P_c_width],
                 pops[which, P_n_chains], pops[which, P_stride], pops[which, P_first], end)
        return DONE
    if task == FORESEE:
        for k in range(pops[which, P_size] if pops[which, P_family] != GIVEN else 1):
            at = pops[which, P_x_at] + k * pops[which, P_width]
            if pops[which, P_family] >= LINEAR:
                x[at + 2] = np.inf
            foresee(which, k, end, {foresee})
        return DONE
    if task == START:
        for k in range(drives[which, D_n_target]):
            rate = drive_c[drives[which, D_rate_at] + k * drives[which, D_rate_step]]
            at = drives[which, D_state_at] + 2 * k
            drive_x[at] = np.inf
            if rate > 0.0:
                drive_x[at] = end + interval(k, drive_x, at, rate, drives[which, D_stream], k0, k1)
                rank = (np.int64(DRIVE) << SHIFT) + which
                numbers[SIZE] = push(time, order, item, numbers[SIZE], drive_x[at], rank, k)
        return DONE
    while numbers[SIZE] > 0 and time[0] <= end:
        if budget <= 0:
            return PAUSE
        budget -= 1
        t, o, i = time[0], order[0], item[0]
        kind = o >> SHIFT
        need = 3 + projs.shape[0]
        if kind == ARRIVAL:
            need = 2 + slot_end[i] - slot_at[i]
        elif kind == STEP_CURRENT:
            need = 2 + drives[o & 0xFFFFFFFF, D_n_target]
        if numbers[SIZE] + need > time.size or numbers[N_FREE] < projs.shape[0]:
            return GROW
        if numbers[N_SEEN] >= seen_time.size:
            return DRAIN
        numbers[N_EVENTS] += 1
        if kind == ARRIVAL:
            j = slot_of[i]
            p = projs[j, J_target]
            family, n_chains = pops[p, P_family], pops[p, P_n_chains]
            stride, first = pops[p, P_stride], pops[p, P_first]
            x_at, width, c_at, c_width = pops[p, P_x_at], pops[p, P_width], pops[p, P_c_at], pops[p, P_c_width]
            port, factor, learns = projs[j, J_port], projs[j, J_factor], projs[j, J_arrival]
            weight_at, weight_step = projs[j, J_weight_at], projs[j, J_weight_step]
            delay_at, delay_step, synapses = projs[j, J_delay_at], projs[j, J_delay_step], projs[j, J_synapses_at]
            e, last = slot_at[i], slot_end[i]
            delay = delays[delay_at + e * delay_step]
            numbers[SIZE] = pop(time, order, item, numbers[SIZE])
            begin = e
            while e < last and (delay_step == 0 or delays[delay_at + e] == delay):
                k = np.int64(targets[synapses + e])
                at, ca = np.int64(np.uint32(x_at + k * width)), np.int64(np.uint32(c_at + k * c_width))
                simple = family != QUADRATIC and x[at + 1] <= x[at]
                if simple:
                    dt = t - x[at]
                    if dt > 0.0:
                        if stride == 1:
                            relax_here(x, at, c, ca, n_chains, 1, CHAINS, dt, True)
                        else:
                            relax(x, at, c, ca, n_chains, stride, first, dt, True)
                        x[at] = t
                else:
                    move(family, x, at, c, ca, n_chains, stride, first, t)
                effect = weights[weight_at + e * weight_step]
                if learns != 0:
                    now[0] = t
                    call_kernel(learns, projs[j, J_arrival_block], e)
                    effect = effects[0]
                if not arrive(at, ca, port, factor, effect, x, c) or family == SILENT:
                    pass
                elif simple and quiet_here(x, at, c, ca, n_chains, stride, CHAINS):
                    x[at + 2] = np.inf
                else:
                    foresee(p, k, t, {foresee})
                e += 1
            numbers[N_UPDATES] += e - begin
            if e < last:
                slot_at[i] = e
                then = slot_time[i] + delays[delay_at + e]
                numbers[SIZE] = push(time, order, item, numbers[SIZE], then, o, i)
            else:
                free[numbers[N_FREE]] = i
                numbers[N_FREE] += 1
            continue
        numbers[SIZE] = pop(time, order, item, numbers[SIZE])
        if kind == OWN or kind == CHECK:
            p = o & 0xFFFFFFFF
            at, ca = pops[p, P_x_at] + i * pops[p, P_width], pops[p, P_c_at] + i * pops[p, P_c_width]
            family, n_chains = pops[p, P_family], pops[p, P_n_chains]
            stride, first = pops[p, P_stride], pops[p, P_first]
            if x[at + 2] != t or (family == LINEAR and (x[at + SURE] == 0.0) != (kind == CHECK)):
                continue
            if kind == CHECK:
                then = own_event(family, x, at, c, ca, n_chains, stride, first, spare, work, places, rates, roots)
                x[at + 2], x[at + SURE] = max(then, t), 1.0
                if then < np.inf:
                    rank = (np.int64(OWN) << SHIFT) + p
                    numbers[SIZE] = push(time, order, item, numbers[SIZE], x[at + 2], rank, i)
                continue
            move(family, x, at, c, ca, n_chains, stride, first, t)
            numbers[N_UPDATES] += 1
            spikes = True
            if family == LINEAR:
                x[at + V] = c[ca + RESET] if c[ca + DOWN] == 0.0 else x[at + V] - c[ca + DOWN]
                for n in range(n_chains):
                    x[at + first + n * stride] += c[ca + HEAD + n * BLOCK + SPIKE]
                x[at + 1] = t + c[ca + HOLD] if c[ca + HOLD] > 0.0 else -np.inf
            elif x[at + PEAKED] != 0.0:
                x[at + V] = c[ca + BACK]
                x[at + U] += c[ca + RAISE]
            else:
                spikes = False
            if spikes:
                for n in range(ins[p], ins[p + 1]):
                    j = in_list[n]
                    k = i - projs[j, J_target_first]
                    if k >= 0 and k < projs[j, J_n_target]:
                        now[0] = t
                        call_kernel(projs[j, J_spiked], projs[j, J_spiked_block], k)
        elif kind == EMISSION:
            p = o & 0xFFFFFFFF
            at = pops[p, P_x_at] + i * pops[p, P_width]
            if x[at] != t:
                continue
            spikes = True
            if pops[p, P_family] == GIVEN:
                cursor = np.int64(x[at + 1])
                x[at + 1] += 1.0
                foresee(p, i, t, {foresee})
                i = given_id[pops[p, P_c_at] + cursor]
            else:
                foresee(p, i, t, {foresee})
        elif kind == DRIVE:
            d = o & 0xFFFFFFFF
            at = drives[d, D_state_at] + 2 * i
            if drive_x[at] != t:
                continue
            p = drives[d, D_target]
            k = np.int64(drive_c[drives[d, D_members] + i])
            rate = drive_c[drives[d, D_rate_at] + i * drives[d, D_rate_step]]
            then = t + interval(i, drive_x, at, rate, drives[d, D_stream], k0, k1)
            drive_x[at] = then
            numbers[SIZE] = push(time, order, item, numbers[SIZE], then, o, i)
            x_at, ca = pops[p, P_x_at] + k * pops[p, P_width], pops[p, P_c_at] + k * pops[p, P_c_width]
            move(pops[p, P_family], x, x_at, c, ca, pops[p, P_n_chains], pops[p, P_stride], pops[p, P_first], t)
            numbers[N_UPDATES] += 1
            effect = drive_c[drives[d, D_weight_at] + i * drives[d, D_weight_step]]
            if arrive(x_at, ca, drives[d, D_port], drives[d, D_factor], effect, x, c):
                foresee(p, k, t, {foresee})
            continue
        else:
            d = o & 0xFFFFFFFF
            p = drives[d, D_target]
            step = np.int64(drive_x[drives[d, D_state_at] + 1])
            drive_x[drives[d, D_state_at] + 1] += 1.0
            for n in range(drives[d, D_n_target]):
                k = np.int64(drive_c[drives[d, D_members] + n])
                at, ca = pops[p, P_x_at] + k * pops[p, P_width], pops[p, P_c_at] + k * pops[p, P_c_width]
                move(pops[p, P_family], x, at, c, ca, pops[p, P_n_chains], pops[p, P_stride], pops[p, P_first], t)
                columns = drives[d, D_columns]
                value = drives[d, D_values_at] + step * columns + (n if columns > 1 else 0)
                x[at + DRIFT] += drive_c[drives[d, D_gain] + n] * (drive_c[value] - drive_c[value - columns])
                numbers[N_UPDATES] += 1
                foresee(p, k, t, {foresee})
            step += 1
            if step < drives[d, D_n_times]:
                numbers[SIZE] = push(time, order, item, numbers[SIZE], drive_c[drives[d, D_times_at] + step], o, 0)
            continue
        if spikes:
            pops[p, P_spikes] += 1
            send(p, i, t, {send})
            if pops[p, P_recorded] != 0:
                seen_time[numbers[N_SEEN]], seen_id[numbers[N_SEEN]], seen_of[numbers[N_SEEN]] = t, i, p
                numbers[N_SEEN] += 1
        if kind == OWN:
            foresee(p, i, t, {foresee})
    return DONE
'''

_ARGUMENTS = {  # that are passed on together
    "{foresee}": "numbers, time, order, item, x, c, pops, given, spare, work, places, rates, roots, k0, k1",
    "{send}": "numbers, time, order, item, projs, outs, out_list, rows, delays, slot_time, slot_at, slot_end, slot_of,"
              " free"}
_FUNCTIONS = (exponentials.two, exponentials.three, exponentials.relax, exponentials.advance_linear, exponentials.quiet,
              exponentials.leave, exponentials.earliest, exponentials.level, exponentials.slowest_left,
              exponentials.zero, exponentials.first_crossing, adaptive.flow, adaptive.leap, adaptive.briefest,
              adaptive.summit, adaptive.advance_parabola, adaptive.next_parabola)


def _constants() -> str:
    """The numbers that the text uses by name."""
    names = {}
    for module in (globals(), vars(adaptive), vars(exponentials)):
        names |= {name: value for name, value in module.items() if name.isupper() and isinstance(value, (int, float))}
    for prefix, columns in (("P", POPULATION), ("J", PROJECTION), ("D", DRIVES)):
        names |= {f"{prefix}_{name}": number for number, name in enumerate(columns)}
    lines = [f"{name} = {number!r}" for name, number in names.items() if number != float("inf")]
    return "\n".join(["from math import exp, expm1, inf, log, log1p", "FOREVER = inf", *lines])


def _functions() -> str:
    """The mathematics as source: compiled once each, where leaves would be copied to every place that calls them."""
    return "\n\n".join(f'@njit(nogil=True, error_model="numpy")\n{inspect.getsource(function)}'
                       for function in _FUNCTIONS)


@cache
def compiled():
    """Return the compiled loop."""
    leaves = {"push": queue.push, "pop": queue.pop, "philox": philox, "uniform53": uniform53,
              "quiet_here": exponentials.quiet, "relax_here": exponentials.relax, "arrive": exponentials.arrive,
              "call_kernel": intrinsics.call_kernel}
    text = _TEXT
    for name, part in {"{constants}": _constants(), "{functions}": _functions(), **_ARGUMENTS}.items():
        text = text.replace(name, part)
    return loader.load_function("event", text, leaves)

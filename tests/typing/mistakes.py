"""Mistakes that an editor marks; `tests/test_types.py` holds that a type checker marks these lines and no others."""

import neurosim as ns
from hardware_models import HfO2
from learning_rules import PairSTDP
from neurosim import reservoirs

net = ns.Network()
cells = net.add(ns.LIF(), 10)

ns.Netwrok()  # marked
ns.plot.rastr(None)  # marked
reservoirs.Liqiud()  # marked
ns.LIF(tau_mum=3.0)  # marked
ns.LIF(tau_mem="20 ms")  # marked
ns.LIF(tau_mem=None)  # marked
ns.LIF(20.0)  # marked
ns.LIF(reset="to_zero")  # marked
print(ns.LIF().tau_mum)  # marked
ns.LIF().tau_mem = 3.0  # marked
ns.Poisson()  # marked
ns.Normal(0.0)  # marked
ns.FixedInDegree(3, self_connection=True)  # marked
ns.FixedInDegree(3).k.upper()  # marked
HfO2(g_maximum=1.0)  # marked
PairSTDP(pairs="some")  # marked
net.add(ns.LIF, 10)  # marked
net.add(ns.LIF(), "ten")  # marked
net.add(ns.LIF(), 10, initial=-60.0)  # marked
net.conect(cells, cells)  # marked
net.connect(cells, cells, 0.1)  # marked
net.connect(cells, cells, weigth=0.1)  # marked
net.connect(cells, cells, weight="strong")  # marked
net.connect(cells, cells, receptor=ns.LIF())  # marked
net.connect(cells, cells, plasticity=ns.Delta())  # marked
net.drive(cells, ns.Poisson(10.0))  # marked
net.record(cells, ["v"])  # marked
net.record(cells, "v", evry=1.0)  # marked
cells["a"]  # marked
net[3]  # marked
ns.Simulation(net, dt="0.1")  # marked
ns.Simulation(net, 0.1, seed="one")  # marked
ns.Simulation(net).run("long")  # marked
ns.Simulation(net).spikes(3)  # marked

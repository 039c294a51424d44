"""What plug-ins promise: plasticity rules, device layers, releases; and how a class names variables and equations."""

from neurosim.contracts.device import Device as Device
from neurosim.contracts.equations import Crossing as Crossing
from neurosim.contracts.equations import Linear as Linear
from neurosim.contracts.equations import Parabola as Parabola
from neurosim.contracts.equations import State as State
from neurosim.contracts.plasticity import Plasticity as Plasticity
from neurosim.contracts.plasticity import Trace as Trace
from neurosim.contracts.release import Release as Release

"""What plug-ins promise: plasticity rules, device layers, releases."""

from neurosim.contracts.device import Device as Device
from neurosim.contracts.plasticity import Plasticity as Plasticity
from neurosim.contracts.plasticity import Trace as Trace
from neurosim.contracts.release import Release as Release

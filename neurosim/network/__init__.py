"""The description of a network: populations, projections, drives, recorders. It holds no dt and no numerics."""

from neurosim.network.arguments import check_lengths as check_lengths
from neurosim.network.arguments import check_variable as check_variable
from neurosim.network.arguments import one_with as one_with
from neurosim.network.arguments import recordable as recordable
from neurosim.network.fingerprint import signature as signature
from neurosim.network.network import Network as Network
from neurosim.network.parts import DriveOn as DriveOn
from neurosim.network.parts import GapJunctions as GapJunctions
from neurosim.network.parts import Population as Population
from neurosim.network.parts import Projection as Projection
from neurosim.network.parts import Recorder as Recorder
from neurosim.network.parts import same_part as same_part
from neurosim.network.parts import shift_between as shift_between
from neurosim.network.ports import Ports as Ports

"""Sound to spikes: a cochlea, simpler front ends, and folders of recordings."""

from neurosim.encoders.audio.base import AudioEncoder as AudioEncoder
from neurosim.encoders.audio.base import AudioStream as AudioStream
from neurosim.encoders.audio.cochlea import Cochlea as Cochlea
from neurosim.encoders.audio.folder import Encoded as Encoded
from neurosim.encoders.audio.folder import encode_folder as encode_folder
from neurosim.encoders.audio.frontends import LevelCrossingEncoder as LevelCrossingEncoder
from neurosim.encoders.audio.frontends import MelEncoder as MelEncoder
from neurosim.encoders.audio.frontends import SiliconCochlea as SiliconCochlea
from neurosim.encoders.audio.membrane import BasilarMembrane as BasilarMembrane
from neurosim.encoders.audio.nerve import BushyCell as BushyCell
from neurosim.encoders.audio.nerve import HairCell as HairCell
from neurosim.encoders.audio.sound import as_sound as as_sound

__all__ = ["AudioEncoder", "AudioStream", "BasilarMembrane", "BushyCell", "Cochlea", "Encoded", "HairCell",
           "LevelCrossingEncoder", "MelEncoder", "SiliconCochlea", "as_sound",
           "encode_folder"]

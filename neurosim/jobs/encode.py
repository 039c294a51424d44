"""`neurosim encode audio FOLDER --to FILE.h5`: recordings become spikes in the layout of SHD, from a shell."""

import argparse
import sys
import warnings

import neurosim as ns
from neurosim.errors import FileError, NeurosimWarning, ParameterError

ENCODERS = {"cochlea": ("Cochlea", "channels"), "mel": ("MelEncoder", "bands"),
            "crossings": ("LevelCrossingEncoder", "levels"), "silicon": ("SiliconCochlea", "channels")}


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Give a parser the commands; each sets `act`."""
    commands = parser.add_subparsers(metavar="WHAT", required=True)
    audio = commands.add_parser("audio", help="WAV files, to one file in the layout of SHD", description=(
        "Turn the WAV files of a folder into spikes, on all cores, and write one file in the layout of the Spiking "
        "Heidelberg Digits. The file appears whole or not at all; stopped work goes on with the same command."))
    audio.add_argument("folder", metavar="FOLDER", help="with WAV files, folders inside too; or a zip file of them")
    audio.add_argument("--to", required=True, metavar="FILE.h5", help="the file to write")
    audio.add_argument("--encoder", choices=ENCODERS, default="cochlea", help="the ear; see docs/audio.md (cochlea)")
    audio.add_argument("--channels", type=int, metavar="N", help="of the ear: channels, bands or levels; 700 of the "
                       "cochlea, else its own default")
    audio.add_argument("--pattern", default="{label}_{speaker}_*.wav", help="which part of a name is the class and "
                       "which the speaker ({label}_{speaker}_*.wav); {label}/{speaker}_nohash_*.wav: Speech Commands")
    audio.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    audio.add_argument("--channel", metavar="N|mean", help="of stereo files: which channel, from 0, or the mean")
    audio.add_argument("--skip-damaged", action="store_true",
                       help="leave out files that are damaged, empty or silent, and name them, instead of stopping")
    audio.add_argument("--time-type", choices=("float16", "float32", "float64"), default="float16",
                       help="of the seconds in the file; float16 as in SHD (float16)")
    audio.add_argument("--threads", type=int, help="recordings that are encoded at once (the number of cores)")
    audio.add_argument("--quiet", action="store_true", help="show no progress and no summary")
    audio.set_defaults(act=_audio)


def _audio(options):
    name, size = ENCODERS[options.encoder]
    make = getattr(ns.encoders, name)
    encoder = make() if options.channels is None else make(**{size: options.channels})
    channel = int(options.channel) if options.channel and options.channel.isdecimal() else options.channel
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", NeurosimWarning)
        try:
            done = ns.encoders.encode_folder(
                encoder, options.folder, options.to, pattern=options.pattern, seed=options.seed, channel=channel,
                damaged="skip" if options.skip_damaged else "refuse", time_type=options.time_type,
                threads=options.threads, progress=not options.quiet)
        except (FileError, ParameterError) as error:
            said = str(error).replace('damaged="skip"', "--skip-damaged")
            said = said.replace('say channel="mean" or which one, channel=0', "say --channel mean or --channel 0")
            raise type(error)(said) from None
    for warning in told:
        sys.stderr.write(f"neurosim: {warning.message}\n")
    if not options.quiet:
        spikes = done.n_spikes
        sys.stdout.write(f"{len(done.names)} recordings, {len(done.labels)} classes, {len(done.speakers)} speakers, "
                         f"{spikes.sum()} spikes, {spikes.mean():.0f} a recording\nwritten to {options.to}\n")

"""One sentence of an error that is the user's, whoever found it."""

from __future__ import annotations

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from diffcomb.errors import DiffcombError
from diffcomb.protocol.commands.building import causes

#: errors that say what a user can change; all others are defects and keep their traceback
USER_ERRORS = (DiffcombError, HydraException, OmegaConfBaseException)

#: lines of Hydra and OmegaConf about themselves
_INTERNAL = ("full_key", "object_type", "reference_type", "See https", "Set the environment", "To append")


def sentence(error: BaseException) -> str:
    """What to print after "error: ": our own messages as they are, Hydra's without advice to developers."""
    for one in causes(error):
        if isinstance(one, DiffcombError):
            return str(one)
    if "group override must be a string" in str(error):
        return "A group is given by the name of one of its options, not by null or a number; ~group omits it."
    parts = [_condensed(str(error))]
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and not isinstance(error, OmegaConfBaseException):
        parts.append(_condensed(str(cause)))
    return ": ".join(part for part in parts if part) + "."


def _condensed(message: str) -> str:
    """The lines that speak of the config, joined; options, one a line, as a list."""
    message = message.split("Config search path")[0].replace(
        "ValidationError raised while composing config:", ""
    )
    text = ""
    for line in message.splitlines():
        words = line.strip()
        if not words or words.startswith(_INTERNAL):
            continue
        listed = line.startswith("\t")
        if not text:
            text = words
        elif listed:
            text += (" " if text.endswith(":") else ", ") + words
        else:
            text += "; " + words
    return (
        text.replace("Key '", "key '").replace(" is not in struct", " does not exist, see --help").rstrip(".")
    )

"""The caches of a module, wherever they hang."""

from torch import nn

from diffcomb.problems import ProblemCache


def caches_of(module: nn.Module) -> list[ProblemCache]:
    """Of the module, of the modules below it, and of plain objects that either holds."""
    held = [value for one in module.modules() for value in vars(one).values()]
    held += [inner for value in held if hasattr(value, "__dict__") for inner in vars(value).values()]
    return list({id(value): value for value in held if isinstance(value, ProblemCache)}.values())

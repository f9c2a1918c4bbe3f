"""Errors a user can meet, each with the way out in its message."""


class DiffcombError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidCostsError(DiffcombError, ValueError):
    """Costs have the wrong length, a NaN, or an infinity."""


class InvalidInstanceError(DiffcombError, ValueError):
    """An instance (a graph, a matrix, a file) is malformed; the message names the place."""


class InfeasibleError(DiffcombError, ValueError):
    """The feasible set is empty."""


class SolveFailedError(DiffcombError, RuntimeError):
    """A solver stopped without any solution (a time limit, a numerical failure)."""


class DecisionError(DiffcombError, ValueError):
    """A function that decides returned something that is no decision, or a worse one than it knows."""


class UnknownNameError(DiffcombError, ValueError):
    """An oracle, solver or option name that does not exist; the message lists those that do."""


class InvalidConfigError(DiffcombError, ValueError):
    """A command's config cannot work; the message names the key and what would do."""


class UnsupportedError(DiffcombError, ValueError):
    """A combination of problem, oracle and solver that cannot work, and what does."""


class MissingBackendError(DiffcombError, ImportError):
    """An optional solver is not installed or its licence is too small; the message has the command."""


class ColorSymmetryWarning(UserWarning):
    """Colours cost the same on every vertex, so the optimum is not unique and its gradient means nothing."""


class UnboundedCostWarning(UserWarning):
    """A cost has the sign at which its variable has no optimum: its bound serves the other sign only."""


class DiscontinuityWarning(UserWarning):
    """An option makes a relaxation jump, so its gradients do not predict its changes."""

"""HiGHS (Huangfu & Hall 2018, MIT licence) on one thread, without a word on stdout."""

from __future__ import annotations

import highspy


class QuietHighs(highspy.Highs):
    """HiGHS on one thread without output.

    highspy's own constructor installs Python callbacks, which prints a banner before any option can
    be set; nothing here uses callbacks, so only the solver itself is constructed.
    """

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()
        self.setOptionValue("output_flag", False)
        self.setOptionValue("threads", 1)

    def run(self) -> highspy.HighsStatus:
        """Solve; on as many threads as the process's first user of HiGHS asked for, if that was another
        one (PuLP, Pyomo, cvxpy): the number is shared, and HiGHS refuses to run at any other."""
        status = super().run()
        if status == highspy.HighsStatus.kError and self.getModelStatus() == highspy.HighsModelStatus.kNotset:
            self.setOptionValue("threads", 0)
            status = super().run()
        return status

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

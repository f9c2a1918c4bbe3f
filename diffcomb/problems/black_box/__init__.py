"""Any function that decides."""

from diffcomb.problems.black_box.black_box import BlackBox

__all__ = ["BlackBox"]

"""General solvers from PyPI behind one interface, to compare with."""

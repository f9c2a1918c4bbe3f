"""Measurements that back the numbers in docs/; each module prints its table."""

import os

# CPU seconds of one thread are compared: BLAS must not start others, and reads this when NumPy loads
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

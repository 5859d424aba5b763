"""Fits the data sets of `study_fits` with lifetimes 0.11.3, its defaults and no penalty.

    python examples/study_fits_lifetimes.py DIR

reads DIR/customers.csv and writes DIR/lifetimes.csv: data set, "fitted", "over time" (60 s of processor time) or the
exception, seconds, parameters in the order of the literature, warnings. Data sets that are in that file already are not
fitted again, so that a run can be gone on with. Gamma-Gamma gets the customers with repeat purchases of a positive
value, as its documentation asks. Needs lifetimes 0.11.3, which needs pandas below 3.
"""

import contextlib
import csv
import os
import platform
import signal
import sys
import time
import warnings

import numpy
import pandas
import scipy
from lifetimes import (
    BetaGeoBetaBinomFitter,
    BetaGeoFitter,
    GammaGammaFitter,
    ModifiedBetaGeoFitter,
    ParetoNBDFitter,
)

LIMIT = 60


class OverTime(BaseException):
    """Not an Exception, so that no library takes it for a failure of its own."""


def stop(*_):
    raise OverTime


def fit(model, rows):
    x, t_x, t, mean = (rows[name].to_numpy() for name in ["frequency", "recency", "t", "monetary_value"])
    # Pareto/NBD starts from random numbers.
    numpy.random.seed(1)
    if model == "BG/NBD":
        return BetaGeoFitter(penalizer_coef=0).fit(x, t_x, t).params_[["r", "alpha", "a", "b"]]
    if model == "MBG/NBD":
        return ModifiedBetaGeoFitter(penalizer_coef=0).fit(x, t_x, t).params_[["r", "alpha", "a", "b"]]
    if model == "Pareto/NBD":
        return ParetoNBDFitter(penalizer_coef=0).fit(x, t_x, t).params_[["r", "alpha", "s", "beta"]]
    if model == "Gamma-Gamma":
        used = (x > 0) & (mean > 0)
        return GammaGammaFitter(penalizer_coef=0).fit(x[used], mean[used]).params_[["p", "q", "v"]]
    if model == "BG/BB":
        fitter = BetaGeoBetaBinomFitter(penalizer_coef=0)
        # Customers without an opportunity say nothing, and its likelihood divides by them.
        used = t > 0
        fitter.fit(x[used], t_x[used].astype(int), t[used].astype(int))
        return fitter.params_[["alpha", "beta", "gamma", "delta"]]
    raise ValueError(model)


def main(folder):
    data = pandas.read_csv(os.path.join(folder, "customers.csv"), float_precision="round_trip")
    signal.signal(signal.SIGVTALRM, stop)
    path = os.path.join(folder, "lifetimes.csv")
    done = set(pandas.read_csv(path)["dataset"]) if os.path.exists(path) else set()
    with open(path, "a", newline="") as file, open(os.devnull, "w") as nowhere:
        out = csv.writer(file)
        if not done:
            out.writerow(["dataset", "status", "seconds", "parameters", "warnings"])
        for (number, model), rows in data.groupby(["dataset", "model"], sort=False):
            if number in done:
                continue
            begun = time.perf_counter()
            parameters = []
            with warnings.catch_warnings(record=True) as heard, contextlib.redirect_stdout(nowhere):
                warnings.simplefilter("always")
                try:
                    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
                    parameters = [float(value) for value in fit(model, rows)]
                    status = "fitted"
                except OverTime:
                    status = "over time"
                except Exception as error:
                    status = type(error).__name__ + ": " + " ".join(str(error).split())[:80]
                finally:
                    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            seconds = time.perf_counter() - begun
            out.writerow([number, status, f"{seconds:.3f}", " ".join(map(repr, parameters)), len(heard)])
            file.flush()
    with open(os.path.join(folder, "versions.txt"), "w") as file:
        names = f"lifetimes 0.11.3, Python {platform.python_version()}, numpy {numpy.__version__}"
        print(f"{names}, scipy {scipy.__version__}, pandas {pandas.__version__}", file=file)


if __name__ == "__main__":
    main(sys.argv[1])

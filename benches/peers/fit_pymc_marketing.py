"""Parameters' posterior with PyMC-Marketing and nutpie: MODEL (bg, pareto) CUSTOMERS.parquet (frequency, recency, T).

Two chains of 1,000 draws after 1,000 for tuning, with the package's default priors. Prints one JSON object: seconds from
the model on its data to the last draw, and each parameter's effective sample size (bulk and tail), mean and deviation.
"""

import json
import sys
import time

import arviz as az
import pandas as pd
from pymc_marketing import clv

MODELS = {"bg": clv.BetaGeoModel, "pareto": clv.ParetoNBDModel}


def main():
    model, path = sys.argv[1:3]
    customers = pd.read_parquet(path, columns=["frequency", "recency", "T"])
    customers.insert(0, "customer_id", range(len(customers)))
    began = time.perf_counter()
    fit = MODELS[model](customers)
    fit.fit(method="mcmc", draws=1000, tune=1000, chains=2, cores=2, nuts_sampler="nutpie", progressbar=False,
            random_seed=1)
    seconds = time.perf_counter() - began
    names = [name for name in ["r", "alpha", "a", "b", "s", "beta"] if name in fit.fit_result]
    table = az.summary(fit.fit_result, var_names=names)
    print(json.dumps({
        "fit_seconds": seconds,
        "ess_bulk": {name: float(table.loc[name, "ess_bulk"]) for name in names},
        "ess_tail": {name: float(table.loc[name, "ess_tail"]) for name in names},
        "mean": {name: float(table.loc[name, "mean"]) for name in names},
        "sd": {name: float(table.loc[name, "sd"]) for name in names},
    }))


if __name__ == "__main__":
    main()

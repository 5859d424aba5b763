"""Maximum likelihood with lifetimes: MODEL (bg, mbg, pareto) CUSTOMERS.parquet (frequency, recency, T).

Prints one JSON object: seconds of the fit alone, and the parameters in the order of the literature.
"""

import json
import sys
import time
import warnings

import pandas as pd
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter

FITTERS = {"bg": BetaGeoFitter, "mbg": ModifiedBetaGeoFitter, "pareto": ParetoNBDFitter}

model, path = sys.argv[1:3]
customers = pd.read_parquet(path, columns=["frequency", "recency", "T"])
warnings.simplefilter("ignore")
began = time.perf_counter()
fit = FITTERS[model](penalizer_coef=0.0).fit(customers["frequency"], customers["recency"], customers["T"])
seconds = time.perf_counter() - began
parameters = {name: float(value) for name, value in fit.params_.items()}
print(json.dumps({"fit_seconds": seconds, "parameters": parameters}))

"""Futures of every customer by numpy, as an analyst would write them: simulate_numpy.py CUSTOMERS.parquet REPLICATIONS.

One replication of next year's spend of every customer under one strategy, from fixed Pareto/NBD and Gamma-Gamma parameters:
alive or not, a purchase rate and a life of its own, orders, and what they are worth. Prints the seconds of one.
"""
import sys
import time

import numpy as np
import pyarrow.parquet as pq

table = pq.read_table(sys.argv[1], columns=["frequency", "T", "monetary_value"])
x = table["frequency"].to_numpy().astype(float)
T = table["T"].to_numpy().astype(float)
m = np.nan_to_num(table["monetary_value"].to_numpy())
r, alpha, s, beta, p, q, g, weeks = 0.85, 4.18, 0.608, 12.05, 6.25, 3.74, 15.44, 52
rng = np.random.default_rng(0)
p_alive = rng.uniform(0.2, 0.9, len(table))
replications = int(sys.argv[2])
begin = time.perf_counter()
for _ in range(replications):
    alive = rng.random(len(table)) < p_alive
    life = np.minimum(rng.exponential(1 / rng.gamma(s, 1 / (beta + T))), weeks)
    n = np.where(alive, rng.poisson(rng.gamma(r + x, 1 / (alpha + T)) * life), 0)
    spend = np.where(n > 0, rng.gamma(np.maximum(p * n, 1e-9)) / rng.gamma(q + p * x, 1 / (g + x * m)), 0)
print((time.perf_counter() - begin) / replications)

"""Points to cluster: ROWS FEATURES SEED FILE; standardised columns of float64, one after the other.

Logarithms of recency, frequency and spend as histories have them: skewed, correlated, without groups that a search could
find at once. Further features are noisy mixtures of those three.
"""

import sys

import numpy as np

rows, features, seed = (int(word) for word in sys.argv[1:4])
draw = np.random.default_rng(seed)
taste = draw.normal(size=rows)
age = draw.uniform(30, 730, rows)
rate = draw.gamma(0.6, 0.03, rows) * np.exp(0.3 * taste)
active = age * draw.beta(1.2, 1.1, rows)
frequency = draw.poisson(rate * active)
recency = np.where(frequency > 0, age - active * draw.beta(3, 1, rows), age)
spend = (1 + frequency) * np.exp(3.2 + 0.5 * taste + 0.6 * draw.normal(size=rows))
columns = [np.log1p(recency), np.log1p(frequency), np.log1p(spend)]
for at in range(3, features):
    columns.append(columns[at % 3] * draw.normal() + columns[(at + 1) % 3] * draw.normal() + draw.gamma(2.0, 1.0, rows))
with open(sys.argv[4], "wb") as out:
    for column in columns[:features]:
        out.write(((column - column.mean()) / column.std()).astype("<f8").tobytes())

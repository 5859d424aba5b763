"""k-means of scikit-learn or faiss: NAME ROWS FEATURES CLUSTERS SEEDS THREADS FILE (columns of float64).

Prints one JSON object: seconds, seconds of processor and inertia of one fit per seed, from the points in memory as each
library takes them to centres and every row's cluster. Inertia is computed in float64 from the centres for both.
"""

import json
import os
import sys
import time

name, path = sys.argv[1], sys.argv[7]
rows, features, clusters, seeds, threads = (int(word) for word in sys.argv[2:7])
for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
    os.environ[variable] = str(threads)

import numpy as np  # noqa: E402  (reads the variables above)

points = np.ascontiguousarray(np.fromfile(path, dtype="<f8").reshape(features, rows).T)


def scikit_learn(seed):
    from sklearn.cluster import KMeans

    # Its defaults: greedy k-means++, Lloyd, tolerance 1e-4, at most 300 iterations.
    model = KMeans(clusters, n_init=1, random_state=seed)
    began = now()
    model.fit(points)
    return began, now(), model.cluster_centers_, int(model.n_iter_)


def faiss(seed):
    import faiss as library

    library.omp_set_num_threads(threads)
    narrow = points.astype(np.float32)
    # All points: by default faiss takes 256 per cluster and leaves the others out.
    model = library.Kmeans(features, clusters, niter=25, seed=seed, max_points_per_centroid=rows)
    began = now()
    model.train(narrow)
    model.index.search(narrow, 1)
    return began, now(), model.centroids.astype(np.float64), 25


def now():
    used = os.times()
    return time.perf_counter(), used.user + used.system


def inertia(centres):
    total = 0.0
    for start in range(0, rows, 100_000):
        part = points[start:start + 100_000]
        total += ((part[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2).min(axis=1).sum()
    return float(total)


fit = {"scikit-learn": scikit_learn, "faiss": faiss}[name]
fit(0)
fits = []
for seed in range(1, seeds + 1):
    began, ended, centres, iterations = fit(seed)
    fits.append({"seed": seed, "seconds": ended[0] - began[0], "cpu_seconds": ended[1] - began[1],
                 "inertia": inertia(centres), "iterations": iterations})
print(json.dumps({"fits": fits}))

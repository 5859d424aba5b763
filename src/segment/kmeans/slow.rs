//! The slow, obvious k-means that the fast one is held against: three loops, one number at a time.

/// The nearest centre of `point` (the first of equally near ones) and the squared distance.
pub(super) fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (at, centre) in centres.iter().enumerate() {
        let mut distance = 0.0;
        for (x, c) in point.iter().zip(centre) {
            distance += (x - c) * (x - c);
        }
        if distance < best.1 {
            best = (at, distance);
        }
    }
    best
}

/// Where Lloyd's algorithm ends from `centres`: centres, codes, inertia, iterations, whether they rest.
pub(super) fn lloyd(
    points: &[Vec<f64>],
    mut centres: Vec<Vec<f64>>,
    shift_at_rest: f64,
    max_iterations: u32,
) -> (Vec<Vec<f64>>, Vec<usize>, f64, u32, bool) {
    let mut codes = vec![usize::MAX; points.len()];
    let (mut iterations, mut rest) = (0, false);
    while !rest && iterations < max_iterations {
        iterations += 1;
        let found: Vec<(usize, f64)> = points.iter().map(|point| nearest(point, &centres)).collect();
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); centres.len()];
        for (i, (code, _)) in found.iter().enumerate() {
            members[*code].push(i);
        }
        let mut far: Vec<usize> = (0..points.len()).collect();
        far.sort_by(|&a, &b| found[b].1.total_cmp(&found[a].1).then(a.cmp(&b)));
        let mut far = far.into_iter();
        let mut relocated = false;
        for at in 0..centres.len() {
            if members[at].is_empty()
                && let Some(i) = far.find(|&i| found[i].1 > 0.0 && members[found[i].0].len() > 1)
            {
                members[found[i].0].retain(|&other| other != i);
                members[at] = vec![i];
                relocated = true;
            }
        }
        let mut shift = 0.0;
        for (at, members) in members.iter().enumerate().filter(|(_, members)| !members.is_empty()) {
            for j in 0..centres[at].len() {
                let mean = members.iter().map(|&i| points[i][j]).sum::<f64>() / members.len() as f64;
                shift += (mean - centres[at][j]).powi(2);
                centres[at][j] = mean;
            }
        }
        let same = !relocated && found.iter().zip(&codes).all(|((code, _), old)| code == old);
        codes = found.iter().map(|(code, _)| *code).collect();
        rest = same || shift <= shift_at_rest;
    }
    let found: Vec<(usize, f64)> = points.iter().map(|point| nearest(point, &centres)).collect();
    let inertia = found.iter().map(|(_, distance)| distance).sum();
    (centres, found.into_iter().map(|(code, _)| code).collect(), inertia, iterations, rest)
}

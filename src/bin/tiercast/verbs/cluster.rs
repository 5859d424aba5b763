//! `tiercast cluster`: the customers of a table in clusters, what those are like, and the table with everybody's cluster.

use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use tiercast::customers::WholeFile;
use tiercast::pipeline::{ClusterRequest, Clustered, NOISE, cluster_file};
use tiercast::report::format::{NONE, count, money, percent, plural, significant};
use tiercast::report::hand_over::Format;
use tiercast::report::{FileKind, OutputFile};
use tiercast::segment::choice::Choice;
use tiercast::segment::transform::LeftOut;
use tiercast::segment::{Feature, GroupingOptions, Number, Technique};
use tiercast::{Error, Result};

use crate::args::{AlgorithmArg, ClusterArgs, Global, ModelArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Starts of k-means, and of mixtures, each of which costs more.
const STARTS: [u32; 2] = [4, 2];

/// Runs the verb.
pub fn main(global: &Global, args: ClusterArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let models = ModelArgs { seed: args.seed, ..ModelArgs::default() };
    let settings = settings::resolve(global, Typed { models, matches, ..Typed::default() })?;
    refuse_of_others(&args, matches)?;
    let number = args.clusters.unwrap_or(Number::One(settings.run.clusters));
    let request = ClusterRequest {
        options: GroupingOptions {
            technique: technique(&args, number)?,
            seed: settings.run.seed,
            sample: args.sample,
        },
        features: if args.feature.is_empty() { Feature::usual() } else { args.feature.clone() },
    };
    let format = args.output.as_deref().map(Format::of).transpose()?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let begin = |path: &Path| OutputFile::begin(FileKind::Clusters, path, args.force, &inputs);
    let out = args.output.as_deref().map(begin).transpose()?;
    let found = super::with_threads(settings.threads, || {
        let file = WholeFile::open(&args.customers, args.id.as_deref())?;
        let place = out.as_ref().zip(format).map(|(out, format)| (out.path(), format));
        cluster_file(&file, &request, place, &bars)
            .map_err(|e| with_usual_features(e, args.feature.is_empty()))
    })?;
    let place = out.map(OutputFile::finish).transpose()?;
    let stages = bars.finish();
    if !global.quiet {
        notes(&found, place.as_deref());
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "clustering": found,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    let choice = found.grouping.choice.as_ref().map_or(String::new(), choice);
    terminal::print(&(features(&found, &request) + &choice + &clusters(&found) + &traits(&found)))
}

/// Refuses options of another algorithm: they would be ignored in silence. Environment and settings file may say how many
/// clusters: they are for other verbs too.
fn refuse_of_others(args: &ClusterArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let typed = matches.and_then(|m| m.value_source("clusters")) == Some(ValueSource::CommandLine);
    let clusters = args.clusters.filter(|_| typed).map(|number| number.to_string());
    let centres = "algorithms that look for a number of clusters";
    let is_dense = args.algorithm == AlgorithmArg::Dbscan;
    for (option, value, belongs, is_own) in [
        ("--clusters", clusters, centres, !is_dense),
        ("--starts", args.starts.map(|n| n.to_string()), centres, !is_dense),
        ("--radius", args.radius.map(|x| x.to_string()), "dbscan", is_dense),
        ("--neighbours", args.neighbours.map(|n| n.to_string()), "dbscan", is_dense),
    ] {
        if let (Some(value), false) = (value, is_own) {
            let problem = format!("it belongs to {belongs}, and the algorithm is {}", args.algorithm.key());
            return Err(Error::value(option, value, problem, "leave it out, or choose another --algorithm"));
        }
    }
    Ok(())
}

fn technique(args: &ClusterArgs, number: Number) -> Result<Technique> {
    let [starts, of_mixture] = STARTS;
    Ok(match (args.algorithm, number) {
        (AlgorithmArg::Kmeans, number) => Technique::KMeans { number, starts: args.starts.unwrap_or(starts) },
        (AlgorithmArg::Linfa, Number::One(clusters)) => {
            Technique::Linfa { clusters, starts: args.starts.unwrap_or(starts) }
        }
        (AlgorithmArg::Linfa, range) => {
            let problem = "this k-means is there to hold the other one against, and chooses no number";
            let remedy = "give one number, or choose by --algorithm kmeans";
            return Err(Error::value("--clusters", range, problem, remedy));
        }
        (AlgorithmArg::Mixture, number) => {
            Technique::Mixture { number, starts: args.starts.unwrap_or(of_mixture) }
        }
        (AlgorithmArg::Dbscan, _) => {
            let needed = |option: &str, remedy: &str| {
                Error::value(option, "", "dbscan cannot do without it, and no value suits all tables", remedy)
            };
            Technique::Dbscan {
                radius: args.radius.ok_or_else(|| needed("--radius", "give a distance such as 0.3"))?,
                neighbours: args
                    .neighbours
                    .ok_or_else(|| needed("--neighbours", "give a number such as 10"))?,
            }
        }
    })
}

/// Who named no feature is told where it comes from.
fn with_usual_features(error: Error, is_usual: bool) -> Error {
    match error {
        Error::Value { what, value, problem, remedy } if is_usual && what == "--feature" => Error::Value {
            what: "a usual feature".into(),
            value,
            problem,
            remedy: format!("name columns of this table with --feature; {remedy}"),
        },
        other => other,
    }
}

fn notes(found: &Clustered, place: Option<&Path>) {
    found.warnings.iter().for_each(|warning| terminal::warning(warning));
    let grouping = &found.grouping;
    if grouping.fitted_on < grouping.customers {
        terminal::note(&format!(
            "the clusters were fitted on a sample of {} of {} customers, and everybody was assigned to them",
            count(grouping.fitted_on),
            count(grouping.customers)
        ));
    }
    if found.prospects > 0 {
        let rows = plural(found.prospects, "row without an order is", "rows without an order are");
        terminal::note(&format!("{rows} in no cluster"));
    }
    if let Some(sheets) = found.sheets.filter(|&sheets| sheets > 1) {
        terminal::note(&format!("more rows than a sheet holds: they are on {sheets} sheets"));
    }
    if let Some(place) = place {
        if !found.replaced.is_empty() {
            terminal::note(&format!("columns of the table that are replaced: {}", found.replaced.join(", ")));
        }
        terminal::note(&format!("{} rows in {}", count(found.rows), place.display()));
    }
}

/// What was done to each feature.
fn features(found: &Clustered, request: &ClusterRequest) -> String {
    let heads = ["feature", ">mean", ">sd", ">cut at", ">cut", ">below 0", ">no number", "taken"];
    let mut grid = Grid::new("Features, after logarithm and cuts, before standardising", &heads);
    for (report, feature) in found.features.iter().zip(&request.features) {
        let counted = |n: u64| if n > 0 { count(n) } else { NONE.to_string() };
        let cuts =
            report.cuts.map(|(low, high)| format!("{}, {}", significant(low, 4), significant(high, 4)));
        grid.row(vec![
            feature.to_string(),
            report.mean.map_or(NONE.to_string(), |mean| significant(mean, 4)),
            report.sd.map_or(NONE.to_string(), |sd| significant(sd, 4)),
            cuts.unwrap_or_else(|| NONE.to_string()),
            counted(report.cut),
            counted(report.below_zero),
            counted(report.not_finite),
            match report.left_out {
                None => "yes".into(),
                Some(LeftOut::NoNumbers) => "no numbers".into(),
                Some(LeftOut::Same) => "no: it does not differ".into(),
                Some(LeftOut::SameAfterTransform) => "no: it does not differ after logarithm and cuts".into(),
            },
        ]);
    }
    grid.text()
}

/// The scores of every number that was tried, and why one is chosen.
fn choice(choice: &Choice) -> String {
    let heads = [">clusters", ">silhouette", ">stability", ">Calinski-Harabasz", ">inertia", ">BIC", ""];
    let mut grid = Grid::new("Numbers of clusters", &heads);
    for candidate in &choice.candidates {
        let score = |value: Option<f64>, digits: usize| {
            value.map_or(NONE.to_string(), |value| significant(value, digits))
        };
        let chosen = (candidate.clusters == choice.chosen).then_some("chosen");
        grid.row(vec![
            candidate.clusters.to_string(),
            score(candidate.silhouette, 3),
            score(candidate.stability, 3),
            score(candidate.calinski_harabasz, 4),
            score(candidate.inertia, 6),
            score(candidate.bic, 7),
            chosen.map(String::from).into_iter().chain(candidate.notes()).collect::<Vec<_>>().join("; "),
        ]);
    }
    grid.text() + &format!("{}\n\n", choice.reason)
}

fn clusters(found: &Clustered) -> String {
    let has_clv = found.clusters.iter().any(|cluster| cluster.mean_clv.is_some());
    let mut heads = vec![">no.", "cluster", ">customers", ">share", ">spend", ">share of spend", "in words"];
    if has_clv {
        heads.insert(6, ">mean clv");
    }
    let (method, order) = (&found.grouping.method, found.ordered_by.words());
    let rest = if found.grouping.converged { "" } else { " (the search did not come to rest)" };
    let title = format!("Clusters by {method}, the best by {order} first{rest}");
    let mut grid = Grid::new(title, &heads);
    let money = |value: Option<f64>| value.map_or(NONE.to_string(), money);
    for cluster in &found.clusters {
        let mut cells = vec![
            cluster.cluster.to_string(),
            cluster.proposed_name.clone(),
            count(cluster.customers),
            percent(cluster.share_of_customers),
            money(cluster.spend),
            cluster.share_of_spend.map_or(NONE.to_string(), percent),
            cluster.name.clone(),
        ];
        if has_clv {
            cells.insert(6, money(cluster.mean_clv));
        }
        grid.row(cells);
    }
    let grouping = &found.grouping;
    if grouping.noise > 0 {
        let mut cells = vec![String::new(); heads.len()];
        let share = grouping.noise as f64 / grouping.customers as f64;
        for (cell, text) in
            cells.iter_mut().zip([NONE.into(), NOISE.into(), count(grouping.noise), percent(share)])
        {
            *cell = text;
        }
        grid.row(cells);
    }
    grid.text()
}

/// Means and medians in the features' own units, and how far each cluster stands from all customers.
fn traits(found: &Clustered) -> String {
    let mut heads = vec![">no.".to_string(), "cluster".into()];
    heads.extend(found.features.iter().map(|report| format!(">{}", report.name)));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let title =
        "Mean / median of each feature, and how many standard deviations the cluster is from all customers";
    let mut grid = Grid::new(title, &heads);
    for cluster in &found.clusters {
        let mut cells = vec![cluster.cluster.to_string(), cluster.proposed_name.clone()];
        cells.extend(cluster.features.iter().map(|own| {
            let number = |value: Option<f64>| value.map_or(NONE.to_string(), |value| significant(value, 4));
            let standing = own.standing.map_or(String::new(), |standing| format!(" ({})", signed(standing)));
            format!("{} / {}{standing}", number(own.mean), number(own.median))
        }));
        grid.row(cells);
    }
    grid.text()
}

/// A standing with its sign, and without a minus before nothing.
fn signed(standing: f64) -> String {
    format!("{:+.2}", (100.0 * standing).round() / 100.0 + 0.0)
}

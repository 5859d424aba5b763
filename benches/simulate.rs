//! Futures of the bundled customers under four strategies, per replication, by each purchase model.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tiercast::calendar::Unit;
use tiercast::clv::{GammaGammaModel, ModelName, Patterns, PosteriorOptions, Prior, PurchaseFit};
use tiercast::customers::summarize;
use tiercast::history::HistoryOptions;
use tiercast::pipeline::{RunConfig, StrategyText};
use tiercast::simulate::{Engine, ParameterDraws, Population, SimulateOptions};
use tiercast::strategy::{Plan, TierFacts};
use tiercast::tier::Columns;

/// Enough to keep several threads busy; the figure per replication is what counts.
const REPLICATIONS: u32 = 16;

fn simulate(c: &mut Criterion) {
    let table = summarize(&[tiercast::history::bundled()], &HistoryOptions::default(), Unit::Week, &())
        .unwrap()
        .table;
    let patterns = Patterns::from_table(&table).unwrap();
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, &()).unwrap();
    let options = PosteriorOptions { prior: Prior::Flat, draws: REPLICATIONS, seed: 1 };
    let of_spend = GammaGammaModel.likelihood(&table.frequency, &table.monetary_value).unwrap();
    let spend = spend.posterior(&of_spend, &options, &()).unwrap().unwrap();
    let draws = |name: ModelName| {
        let fit = PurchaseFit::new(name, &patterns, Unit::Week, &()).unwrap();
        let purchases = fit.posterior(&patterns, Unit::Week, &options, &()).unwrap().unwrap();
        ParameterDraws::new(&purchases, &spend)
    };
    let schemes = RunConfig::default().read_schemes().unwrap();
    let set = StrategyText::bundled().check(&schemes).unwrap();
    let scheme = schemes.iter().find(|scheme| scheme.key == set.scheme).unwrap();
    let tiering = scheme.grade(&table, &Columns::of_table(&table)).unwrap().tiering;
    let facts: Vec<TierFacts> = tiering
        .tiers
        .iter()
        .map(|t| TierFacts { customers: t.customers, reachable: t.customers, clv: t.spend })
        .collect();
    let plans: Vec<Plan> = (0..set.strategies.len()).map(|s| Plan::new(&set, s, &facts)).collect();
    let hash: Vec<u64> = (0..table.len()).map(|i| table.ids.hash(i)).collect();
    let population = Population {
        frequency: &table.frequency,
        recency_days: &table.recency_days,
        t_days: &table.t_days,
        monetary_value: &table.monetary_value,
        tier: &tiering.codes,
        tiers: tiering.tiers.len(),
        hash: &hash,
        opted_out: None,
    };
    let engine = Engine::new(population, &set, &plans, SimulateOptions { seed: 1, draw_responses: true });
    let mut group = c.benchmark_group("simulate");
    group.throughput(Throughput::Elements(u64::from(REPLICATIONS) * table.len() as u64));
    group.sample_size(20);
    for name in ModelName::ALL {
        let draws = draws(name);
        group.bench_function(format!("cdnow, 4 strategies, 16 replications, {name}"), |b| {
            b.iter(|| engine.run(&draws.draws, &()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, simulate);
criterion_main!(benches);

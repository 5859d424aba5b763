//! A page of plausible customers for tests, without a history and without a fit.

use super::{Lifetime, Page, Total};
use crate::calendar::{CalendarPeriod, Day, Unit, Window};
use crate::clv::{FitReport, Parameter, SetAside, Verdict as FitVerdict};
use crate::customers::cohorts::{Cohort, CohortCell, CohortTable};
use crate::customers::concentration::Concentration;
use crate::customers::rfm::{Rfm, scores};
use crate::customers::table::TextKind;
use crate::customers::{CustomerTable, Ids};
use crate::history::{Ledger, Reason, SetAsideRow};
use crate::random::{Purpose, Stream};
use crate::segment::{SegmentOptions, Segmentation, segment};
use crate::simulate::{Comparison, Estimate, Metric, Row, Verdict};
use crate::strategy::file::StrategyFile;
use crate::strategy::{BUNDLED, Plan, StrategySet, TierFacts};
use crate::tier::{Columns, Tiering, builtin};

/// Everything that a [`Page`] refers to.
pub(super) struct Made {
    pub ledger: Ledger,
    pub table: CustomerTable,
    pub cohorts: CohortTable,
    pub rfm: Rfm,
    pub concentration: Concentration,
    pub fits: Vec<FitReport>,
    pub p_alive: Vec<f64>,
    pub orders: Vec<f64>,
    pub clv: Vec<f64>,
    pub segmentation: Segmentation,
    pub tierings: Vec<Tiering>,
    pub set: StrategySet,
    pub comparison: Comparison,
    pub config: Vec<(String, String)>,
    pub columns: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

/// A history of `n` customers whose second strategy is called `name`.
pub(super) fn made(n: usize, name: &str) -> Made {
    let table = table(n);
    let rfm = scores(&table);
    let tiering = |key: &str| {
        let scheme = builtin::scheme_file(key).unwrap();
        scheme.grade(&table, &Columns::of_table(&table)).unwrap().tiering
    };
    let tierings: Vec<Tiering> = ["value", "rfm", "abc"].map(tiering).into();
    let p_alive: Vec<f64> =
        (0..n).map(|i| 1.0 / (1.0 + f64::from(table.days_since_last(i)) / 200.0)).collect();
    let rate = |i: usize| (f64::from(table.frequency[i]) + 0.27) / (6.0 + table.t(i));
    let orders: Vec<f64> = (0..n).map(|i| 52.0 * p_alive[i] * rate(i)).collect();
    let spend = |i: usize| if table.frequency[i] > 0 { table.monetary_value[i] } else { 36.0 };
    let clv: Vec<f64> = (0..n).map(|i| 0.95 * orders[i] * spend(i)).collect();
    let known: Vec<(String, Vec<String>)> = tierings.iter().map(|t| (t.key.clone(), t.names())).collect();
    let text = BUNDLED.replace("name = \"even\"", &format!("name = {name:?}"));
    let set = StrategySet::new("fixture", StrategyFile::parse("fixture", &text).unwrap(), &known).unwrap();
    let comparison = comparison(&set, &tierings[0], &clv);
    Made {
        ledger: ledger(&table),
        concentration: Concentration::of(&table),
        fits: fits(n as u64),
        segmentation: segment(&table, &SegmentOptions::default(), &()).unwrap(),
        config: pairs(&[("unit", "week"), ("horizon", "12mo"), ("refunds", "aside"), ("clusters", "5")]),
        columns: pairs(&[
            ("Customer", "customer_id (int32), found by its name"),
            ("Time", "date (date32), found by its name"),
            ("Amount", "amount (decimal 10.2), found by its name"),
        ]),
        warnings: vec!["every response is an assumption: replace them with what a test has measured".into()],
        p_alive,
        orders,
        clv,
        table,
        cohorts: cohorts(n as u64),
        rfm,
        tierings,
        set,
        comparison,
    }
}

/// Half of each cohort comes back, then half of that; nobody is a cohort only where there is nobody.
fn cohorts(n: u64) -> CohortTable {
    let cell = |age: i32| CohortCell {
        customers: n >> age,
        orders: n >> age,
        spend: Some(30.0 * (n >> age) as f64),
        retention: 0.5f64.powi(age),
        spend_per_customer: Some(30.0 * f64::from(age + 1)),
    };
    let cohort =
        |period: usize| Cohort { period, customers: n, cells: (0..18 - period as i32).map(cell).collect() };
    CohortTable {
        period: CalendarPeriod::Month,
        labels: (24_240..24_258).map(|month| CalendarPeriod::Month.label(month)).collect(),
        ends_early: true,
        cohorts: (0..if n > 0 { 18 } else { 0 }).map(cohort).collect(),
        daily: None,
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

impl Made {
    pub(super) fn page<'a>(&'a self, fits: &'a [&'a FitReport]) -> Page<'a> {
        Page {
            title: "",
            version: "0.1.0",
            seed: 1,
            fingerprint: "xxh3:7f1c03b2a94e5d60f2b8c1a3d4e5f607",
            currency: "USD",
            config: &self.config,
            columns: &self.columns,
            ledger: &self.ledger,
            table: &self.table,
            list: None,
            cohorts: Some(&self.cohorts),
            rfm: &self.rfm,
            concentration: &self.concentration,
            fits,
            model_reason: "",
            model_choice: None,
            lifetime: Some(Lifetime {
                horizon: self.set.horizon,
                discount: "10%/yr".parse().unwrap(),
                margin: 1.0,
                convention: "Orders of month i count 1/(1 + rate)^i; a month is 30.4375 days.",
                p_alive: &self.p_alive,
                orders: &self.orders,
                clv: &self.clv,
                total: Some({
                    let value: f64 = self.clv.iter().sum();
                    Total { value, lower: 0.94 * value, upper: 1.07 * value }
                }),
            }),
            segmentation: Some(&self.segmentation),
            tierings: &self.tierings,
            set: Some(&self.set),
            opt_out: None,
            comparison: Some(&self.comparison),
            no_comparison: "",
            warnings: &self.warnings,
        }
    }
}

/// Gamma rates of purchase and spend; 18 months, weeks.
fn table(n: usize) -> CustomerTable {
    let end = Day(10_407);
    let mut table = CustomerTable {
        ids: Ids::Text { ends: Vec::new(), bytes: Vec::new(), kind: TextKind::Utf8 },
        window: Window { calibration_end: end, as_of: end },
        unit: Unit::Week,
        frequency: Vec::new(),
        recency_days: Vec::new(),
        t_days: Vec::new(),
        monetary_value: Vec::new(),
        first_order: Vec::new(),
        last_order: Vec::new(),
        orders: Vec::new(),
        transactions: Vec::new(),
        total_spend: Vec::new(),
        holdout: None,
        columns: Vec::new(),
    };
    let Ids::Text { ends, bytes, .. } = &mut table.ids else { unreachable!("made as text") };
    for i in 0..n {
        let mut s = Stream::new(5, i as u64 + 1, 0, Purpose::Latent);
        let t = 455 + (s.uniform() * 90.0) as u32;
        let alive = (s.uniform() * s.uniform() * f64::from(t)) as u32;
        let x = (s.gamma(0.35) * f64::from(alive) / 45.0) as u32;
        let recency = if x == 0 { 0 } else { alive };
        let mean = 12.0 + s.gamma(1.3) * 18.0;
        bytes.extend(format!("c{i:06}").into_bytes());
        ends.push(bytes.len());
        table.frequency.push(x);
        table.recency_days.push(recency);
        table.t_days.push(t);
        table.monetary_value.push(if x == 0 { 0.0 } else { mean });
        table.first_order.push(Day(end.0 - t as i32));
        table.last_order.push(Day(end.0 - (t - recency) as i32));
        table.orders.push(x + 1);
        table.transactions.push(x + 1);
        table.total_spend.push((mean * f64::from(x + 1) * 100.0).round() / 100.0);
    }
    table
}

fn ledger(table: &CustomerTable) -> Ledger {
    let used: u64 = table.transactions.iter().map(|&t| u64::from(t)).sum();
    let aside = |row, reason| SetAsideRow { file: 0, row, reason, value: None };
    let set_aside = vec![aside(3, Reason::Refund), aside(9, Reason::NullCustomer), aside(12, Reason::Refund)];
    Ledger {
        files: vec!["bundled/cdnow.parquet".into()],
        read: used + set_aside.len() as u64,
        used,
        set_aside,
        zero_amounts: 80,
        duplicates: 255,
        ..Ledger::default()
    }
}

fn fits(customers: u64) -> Vec<FitReport> {
    let fit = |model, unit, parameters: &[(&'static str, f64, f64)], value: f64| FitReport {
        model,
        unit,
        parameters: parameters
            .iter()
            .map(|&(name, estimate, error)| Parameter { name, estimate, standard_error: Some(error) })
            .collect(),
        log_likelihood: Some(value),
        customers,
        set_aside: Vec::new(),
        patterns: 5_432,
        gradient_norm: 3.1e-9,
        hessian_eigenvalues: vec![38.2, 410.7, 2_950.1, 11_872.4],
        evaluations: 63,
        starts: vec![value, value - 1e-7, value - 2e-8],
        verdict: FitVerdict::VerifiedOptimum,
        warnings: Vec::new(),
    };
    let purchases = [
        ("r", 0.26712777, 0.00366),
        ("alpha", 5.98649178, 0.13716),
        ("a", 0.48351698, 0.02679),
        ("b", 2.11160839, 0.15437),
    ];
    let spend = [("p", 5.08604394, 0.2568), ("q", 3.99512073, 0.087), ("gamma", 21.25223802, 1.527)];
    let mut spend = fit("Gamma-Gamma", None, &spend, -49_496.524204);
    spend.set_aside = vec![SetAside { reason: "one purchase only", customers: 12_054 }];
    spend.warnings = vec!["one repeater has a mean spend of 0".into()];
    vec![fit("BG/NBD", Some(Unit::Week), &purchases, -173_425.916293), spend]
}

fn comparison(set: &StrategySet, tiering: &Tiering, clv: &[f64]) -> Comparison {
    let mut facts: Vec<TierFacts> = tiering
        .tiers
        .iter()
        .map(|t| TierFacts { customers: t.customers, reachable: t.customers, clv: 0.0 })
        .collect();
    for (&code, clv) in tiering.codes.iter().zip(clv) {
        facts[usize::from(code)].clv += clv;
    }
    let plans: Vec<Plan> = (0..set.strategies.len()).map(|s| Plan::new(set, s, &facts)).collect();
    let fixed =
        |x: f64| Estimate { value: x, lower: x, upper: x, mean_lower: x, mean_upper: x, mc_error: 0.0 };
    let around = |x: f64, known: f64, all: f64| Estimate {
        value: x,
        lower: x - all,
        upper: x + 1.1 * all,
        mean_lower: x - known,
        mean_upper: x + 1.05 * known,
        mc_error: all / 40.0,
    };
    let mut rows = Vec::new();
    for (s, plan) in plans.iter().enumerate() {
        for tier in [None, Some(0), Some(1), Some(2)] {
            let of = |f: &dyn Fn(usize) -> f64| tier.map_or_else(|| (0..3).map(f).sum(), f);
            let customers = of(&|k| facts[k].customers as f64);
            let worth = of(&|k| facts[k].clv);
            let cost = of(&|k| plan.tier_cost(k, &facts));
            let lift = of(&|k| {
                let ceiling = [0.08, 0.2, 0.1][k];
                facts[k].clv * ceiling * (1.0 - (-plan.per_customer[k] / 0.6).exp())
            });
            let luck = 0.02 * worth + 20.0;
            let gained = 0.3 * lift - cost;
            let profit = around(0.3 * (worth + lift) - cost, 0.02 * worth, 0.03 * worth + luck);
            let none = fixed(0.0);
            let paired =
                |x: f64, known: f64| if s == 0 { none } else { around(x, known, known + 0.05 * luck) };
            let mut push = |metric, estimate, difference| {
                rows.push(Row { strategy: s, tier, metric, estimate, difference });
            };
            push(Metric::Customers, fixed(customers), none);
            push(Metric::Cost, fixed(cost), fixed(cost));
            push(
                Metric::Orders,
                around(worth / 35.0, worth / 700.0, worth / 400.0),
                paired(lift / 35.0, lift / 70.0),
            );
            push(
                Metric::Revenue,
                around(worth + lift, 0.05 * worth, 0.06 * worth + luck),
                paired(lift, 0.7 * lift),
            );
            push(Metric::Profit, profit, paired(gained, 0.2 * lift));
            if cost > 0.0 {
                push(Metric::Roi, fixed(gained / cost), fixed(gained / cost));
            }
        }
    }
    let verdict = |s: usize| {
        let of = |r: &&Row| r.strategy == s && r.tier.is_none() && r.metric == Metric::Profit;
        match rows.iter().find(of).map(|row| row.difference) {
            _ if s == 0 => Verdict::Baseline,
            Some(d) if d.mean_lower > 0.0 => Verdict::Gains,
            Some(d) if d.mean_upper < 0.0 => Verdict::Loses,
            _ => Verdict::Undecided,
        }
    };
    Comparison {
        verdicts: (0..plans.len()).map(verdict).collect(),
        strategies: set.strategies.iter().map(|s| s.name.clone()).collect(),
        tiers: set.tiers.clone(),
        replications: 400,
        plans,
        rows,
        p_best: vec![0.11, 0.07, 0.71, 0.11],
    }
}

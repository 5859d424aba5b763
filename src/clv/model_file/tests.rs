//! Files of every kind read back, and refused where somebody edited them beyond sense.

use super::*;
use crate::calendar::{CalendarPeriod, Unit};
use crate::clv::contractual::{Bdw, BdwModel, Cohorts, Contract};
use crate::clv::{BgNbd, PosteriorOptions, Prior};

/// "Regular" of Fader and Hardie (2007).
fn regular() -> Cohorts {
    let survivors = [1000, 631, 468, 382, 326, 289, 262, 241];
    Cohorts::from_rows(&["regular"; 8], &[0, 1, 2, 3, 4, 5, 6, 7], &survivors).unwrap()
}

fn contract() -> ContractFile {
    let data = regular();
    let fit = BdwModel.fit(&data, &()).unwrap();
    let options = PosteriorOptions { prior: Prior::Flat, draws: 20, seed: 3 };
    let posterior = fit.posterior(&BdwModel.likelihood(&data), &options, &()).unwrap().unwrap();
    let fitted_to = FittedToCohorts::of("regular.csv".to_string(), &data);
    let period = Some("1yr".parse().unwrap());
    let mut file = ContractFile::new(ContractName::Bdw, &fit.report, fitted_to, period).unwrap();
    file.drawn = Some(Drawn::new(&posterior, 3).unwrap());
    file
}

fn purchases() -> ModelFile {
    let parameters = [("r", 0.24), ("alpha", 4.4), ("a", 0.8), ("b", 2.4)];
    let spend = [("p", 6.2), ("q", 3.7), ("gamma", 15.4)];
    let of = |parameters: &[(&str, f64)]| parameters.iter().map(|(k, v)| (k.to_string(), *v)).collect();
    ModelFile {
        fitted_to: FittedTo { file: "c.parquet".to_string(), customers: 7, calibration_end: None },
        purchases: Part {
            model: ModelName::BgNbd,
            unit: Some(Unit::Week),
            parameters: of(&parameters),
            fit: Value::Null,
        },
        spend: Some(Part {
            model: SpendName::GammaGamma,
            unit: None,
            parameters: of(&spend),
            fit: Value::Null,
        }),
        money: None,
        draws: None,
    }
}

#[test]
fn contracts_read_back_to_the_last_bit() {
    let file = contract();
    let again = ContractFile::parse("m.json", &file.document().text().unwrap()).unwrap();
    assert_eq!(again, file);
    let Contract::Bdw(Bdw { c, .. }) = again.model().unwrap() else { panic!("{again:?}") };
    assert!((c - 1.283451).abs() < 1e-4, "{c}");
    assert_eq!(again.draws().unwrap().len(), 20);
    assert!(again.fitted_to.periods == 7 && again.fitted_to.customers == 1000);
}

#[test]
fn opportunities_read_back() {
    let mut report = contract().contract.fit;
    report["model"] = "BG/BB".into();
    let parameters = [("alpha", 1.2), ("beta", 0.75), ("gamma", 0.66), ("delta", 2.78)];
    let file = OpportunitiesFile {
        fitted_to: FittedToHistory {
            file: "h".to_string(),
            customers: 5,
            until: "2001-12-31".parse().unwrap(),
        },
        opportunity: CalendarPeriod::Year,
        transactions: Part {
            model: OpportunitiesName::BgBb,
            unit: None,
            parameters: parameters.iter().map(|(k, v)| (k.to_string(), *v)).collect(),
            fit: report,
        },
        comparison: None,
        drawn: None,
    };
    let text = file.document().text().unwrap();
    let again = AnyModelFile::parse("m.json", &text).unwrap();
    assert_eq!(again, AnyModelFile::Opportunities(Box::new(file.clone())));
    assert_eq!(file.model().unwrap().delta, 2.78);
    // A verb that needs another kind says which there is.
    for error in
        [ModelFile::parse("m.json", &text).unwrap_err(), ContractFile::parse("m.json", &text).unwrap_err()]
    {
        assert!(error.to_string().contains("m.json: it holds a model of opportunities"), "{error}");
    }
}

#[test]
fn money_is_revenue_unless_the_file_says_otherwise() {
    let mut file = purchases();
    assert_eq!(file.money(), Some(Money::revenue()));
    file.money = Some(FittedMoney { money: Money::of_column("total_margin"), correlation: None });
    let again = ModelFile::parse("m.json", &file.document().text().unwrap()).unwrap();
    assert_eq!(again.money(), Some(Money::of_column("total_margin")));
    // What a column holds follows from its name: nothing else is ever written.
    for (column, of, over) in [
        ("total_margin", "other", "all"),
        ("total_margin", "margin", "repeat"),
        ("monetary_value", "margin", "repeat"),
        ("contribution", "revenue", "repeat"),
        ("total_spend", "other", "repeat"),
    ] {
        let mut text = file.document().text().unwrap();
        for (from, to) in [("total_margin", column), ("margin", of), ("all", over)] {
            text = text.replace(&format!(": \"{from}\""), &format!(": \"{to}\""));
        }
        let error = ModelFile::parse("m.json", &text).unwrap_err().to_string();
        assert!(error.contains("m.json") && error.contains(column), "{column} {of} {over}: {error}");
    }
    file.spend = None;
    assert_eq!(file.money(), None);
}

#[test]
fn parameters_beyond_sense_are_refused() {
    let refused = |edit: &dyn Fn(&mut ModelFile)| {
        let mut file = purchases();
        edit(&mut file);
        ModelFile::parse("m.json", &file.document().text().unwrap()).unwrap_err().to_string()
    };
    let set = |name: &'static str, value: f64| {
        refused(&|file| {
            file.purchases.parameters.insert(name.to_string(), value);
        })
    };
    for (name, value) in [("r", 1e308), ("alpha", 1e19), ("a", 1e-19), ("b", 0.0), ("r", -1.0)] {
        let error = set(name, value);
        assert!(error.contains("m.json") && error.contains(&format!("\"{name}\" is {value:e}")), "{error}");
        assert!(error.contains("between 1e-18 and 1e18"), "{error}");
    }
    let spend = |name: &'static str, value: f64| {
        refused(&|file| {
            let spend = file.spend.as_mut().unwrap();
            spend.parameters.insert(name.to_string(), value);
        })
    };
    assert!(spend("q", 1.0).contains("not above 1: the mean spend"), "{}", spend("q", 1.0));
    assert!(spend("p", 1e300).contains("\"p\" is 1e300"));
    // A currency may be anything.
    let mut file = purchases();
    file.spend.as_mut().unwrap().parameters.insert("gamma".to_string(), 1e20);
    assert!(ModelFile::parse("m.json", &file.document().text().unwrap()).is_ok());
    let mut file = contract();
    let drawn = file.drawn.as_mut().unwrap();
    drawn.draws.get_mut("c").unwrap()[3] = 1e30;
    let error = ContractFile::parse("m.json", &file.document().text().unwrap()).unwrap_err().to_string();
    assert!(error.contains("a draw of \"c\" is 1e30"), "{error}");
}

/// At the bounds every formula ends in sensible time with a number: an edited file must not hold a machine.
#[test]
fn the_bounds_can_be_computed() {
    let begun = std::time::Instant::now();
    for r in [1e-18, 0.3, 1e18] {
        for alpha in [1e-18, 4.0, 1e18] {
            for (a, b) in [(1e-18, 1e18), (1e18, 1e-18), (1e18, 1e18), (1e-18, 1e-18), (0.8, 2.4)] {
                let model = BgNbd { r, alpha, a, b, unit: Unit::Week };
                for (x, t_x, t) in [(0, 0.0, 39.0), (3, 20.0, 39.0)] {
                    let values = [model.p_alive(x, t_x, t), model.conditional_expected(x, t_x, t, 52.0)];
                    assert!(values.iter().all(|value| !value.is_nan()), "{model:?}: {values:?}");
                }
            }
        }
    }
    assert!(begun.elapsed().as_secs() < 60);
}

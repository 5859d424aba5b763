use arrow_array::Array;

use super::*;
use crate::report::html::simulation_fixture::{Found, found, rich_set};

fn made() -> (StrategySet, Found) {
    let set = rich_set(str::to_string);
    let found = found(&set, &[100, 300, 600], &[40_000.0, 20_000.0, 5_000.0]);
    (set, found)
}

/// The lines of a table, whose batch has the same columns and rows.
fn lines(table: &Table) -> Vec<String> {
    let text = String::from_utf8(table.csv().unwrap()).unwrap();
    let lines: Vec<String> = text.lines().map(String::from).collect();
    let batch = table.batch().unwrap();
    assert_eq!((batch.num_rows(), lines.len()), (table.rows(), table.rows() + 1));
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(lines[0], names.join(","));
    lines
}

const ESTIMATES: &str = "value,lower,upper,difference,difference_lower,difference_upper,mean_lower,mean_upper,mc_error,\
                         difference_mean_lower,difference_mean_upper,difference_mc_error";

#[test]
fn strategies_and_periods_are_long() {
    let (_, mut found) = made();
    found.comparison.rows[0].estimate.mean_lower = f64::NAN;
    let all = lines(&strategies(Some(&found.comparison)));
    assert_eq!(all[0], format!("strategy,tier,metric,{ESTIMATES}"));
    assert_eq!(all[1], "do_nothing,all,customers,1000,1000,1000,0,0,0,,1000,0,0,0,0");
    assert!(all.iter().any(|line| line.starts_with("even,new customers,orders,0,")));
    // A return has no difference from doing nothing, which has none.
    let roi = all.iter().find(|line| line.starts_with("even,all,roi,")).unwrap();
    let cells: Vec<&str> = roi.split(',').collect();
    assert!(!cells[3].is_empty() && cells[6..9] == [""; 3] && cells[12..] == [""; 3], "{roi}");
    assert_eq!(strategies(None).rows(), 0);
    assert_eq!(strategies_csv(None).unwrap(), format!("strategy,tier,metric,{ESTIMATES}\n").into_bytes());

    let all = lines(&periods(&found.comparison));
    assert_eq!(all[0], format!("strategy,tier,period,metric,{ESTIMATES}"));
    // Strategies, all and each tier, periods, three metrics.
    assert_eq!(all.len() - 1, 4 * 5 * 12 * 3);
    assert!(
        all[1].starts_with("do_nothing,all,1,orders,")
            && all[3].starts_with("do_nothing,all,1,contribution,")
    );
}

#[test]
fn standings_hold_the_verdict_the_risk_and_the_plan() {
    let (mut set, mut found) = made();
    set.strategies[1].budget = Some(6000.0);
    let all = lines(&standings(&set, &found.comparison));
    assert_eq!(
        all[0],
        "strategy,verdict,difference,mean_lower,mean_upper,joint_lower,joint_upper,lower,upper,p_best,p_gain,value_at_risk,\
         worst_mean,p_over_budget,cost,budget,upfront_cost,fixed_cost,contacted,minutes_of_contacts,stock_of_contacts,unspent,\
         limited_by"
    );
    let cells = |line: usize| all[line].split(',').map(String::from).collect::<Vec<_>>();
    let even = cells(2);
    assert_eq!((even[0].as_str(), even[18].as_str(), even[22].as_str()), ("even", "1000", "budget"));
    // 1,000 contacts take 3 minutes each at 0.05.
    let number = |i: usize| even[i].parse::<f64>().unwrap();
    assert!((number(16) - (6000.0 + 150.0)).abs() < 1e-9 && number(19) == 3000.0);
    // Without a budget there is none.
    for (i, column) in [(13, "p_over_budget"), (15, "budget"), (21, "unspent")] {
        assert_eq!(cells(4)[i], "", "{column}");
        assert!(standings(&set, &found.comparison).batch().unwrap().column(i).is_null(3));
        assert_ne!(even[i], "", "{column}");
    }
    assert_eq!((cells(1)[10].as_str(), cells(1)[9].as_str()), ("", "0.11"));
    // Of one world no share is given.
    found.comparison.worlds = 1;
    let all = lines(&standings(&set, &found.comparison));
    assert!(all[1..].iter().all(|line| line.split(',').skip(9).take(2).all(str::is_empty)));
}

#[test]
fn plans_have_a_line_for_each_treatment_that_somebody_gets() {
    let (set, mut found) = made();
    found.comparison.plans[3].contacts[1][1] = 0;
    let all = lines(&plans(&set, &found.comparison));
    assert_eq!(all[0], "strategy,tier,action,money_per_contact,contacts,contact_cost");
    assert_eq!(all.len() - 1, 3 + 3 + 2);
    assert!(all[1].starts_with("even,high,letters,6,100,600"), "{}", all[1]);
}

#[test]
fn beliefs_with_what_rests_on_them() {
    let (set, mut found) = made();
    let all = lines(&assumptions(&set));
    assert_eq!(all[0], "name,kind,value,lower,upper,source,note");
    assert_eq!(
        all[1],
        "purchase_rate of letters in high,purchase_rate,0.08,0.02,0.14,assumption,frequent buyers come back without a letter: a \
         modest ceiling"
    );
    let has = |line: &str| assert!(all.iter().any(|found| found == line), "{line} in {all:?}");
    has("breakage of letters,breakage,0.3,0.2,0.45,assumption,as asked");
    has("cannibalisation of price cut,cannibalisation,0.2,0.1,0.35,elicited,as asked");
    has("new customers,new_customers,120,80,170,elicited,as asked");

    found.sensitivity.truncate(1);
    let bar = &mut found.sensitivity[0].bars[0];
    (bar.gain_at_lower, bar.gain_at_upper, bar.break_even) = (-1.0, 2.5, None);
    found.sensitivity[0].gain = 0.5;
    let all = lines(&sensitivity(&found.comparison, &found.sensitivity));
    assert_eq!(
        all[0],
        "strategy,assumption,value,lower,upper,source,gain,gain_at_lower,gain_at_upper,swing,break_even,\
         searched_lower,searched_upper"
    );
    assert_eq!(
        all[1],
        "even,purchase_rate of letters in high,0.08,0.02,0.14,assumption,0.5,-1,2.5,3.5,,-1,2.5"
    );
}

#[test]
fn small_tables_are_written_as_parquet() {
    let (set, found) = made();
    let folder = tempfile::tempdir().unwrap();
    for (i, table) in [
        strategies(Some(&found.comparison)),
        periods(&found.comparison),
        standings(&set, &found.comparison),
        plans(&set, &found.comparison),
        assumptions(&set),
        sensitivity(&found.comparison, &found.sensitivity),
        strategies(None),
    ]
    .iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{i}.parquet"));
        write_parquet(&path, &table.batch().unwrap()).unwrap();
        let file = File::open(&path).unwrap();
        let read = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let rows: usize = read.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, table.rows());
    }
}

//! The retention heat map: how many of each cohort order again, period by period.

use super::Chart;
use super::canvas::{Anchor, INK, MUTED, SMALL, WIDTH, draw};
use super::heatmap::{legend, ramp, readable_on};
use crate::report::format::{percent, percent_round, plural};

/// Customers whose first order was in one period.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionRow {
    /// The period.
    pub label: String,
    /// How many they are.
    pub customers: u64,
    /// The share of them who ordered in the next period, in the one after it, and so on.
    pub shares: Vec<f64>,
}

const LEFT: f64 = 76.0;
const TOP: f64 = 4.0;
/// What all rows together take at most, and a row at most and at least.
const ROWS: f64 = 400.0;
const ROW: (f64, f64) = (8.0, 26.0);
/// The least width of a cell in which its share can be read.
const READABLE: f64 = 36.0;

/// The heat map of `rows`; `period` is "month" or the like.
pub fn retention(rows: &[RetentionRow], period: &str) -> Chart {
    let columns = rows.iter().map(|row| row.shares.len()).max().unwrap_or(0);
    let largest = rows.iter().flat_map(|row| &row.shares).copied().fold(0.0, f64::max);
    let caption = caption(rows, period);
    let high = (ROWS / rows.len().max(1) as f64).clamp(ROW.0, ROW.1);
    let bottom = TOP + high * rows.len() as f64;
    let wide = (WIDTH - LEFT - 2.0) / columns.max(1) as f64;
    let title = format!("Share of each cohort that ordered again, by {period}");
    let svg = draw(bottom + 112.0, &title, &caption, |canvas| {
        // Labels stand as close as they can be read.
        let every = (18.0 / high).ceil() as usize;
        for (i, row) in rows.iter().enumerate() {
            let y = TOP + high * i as f64;
            if i % every == 0 {
                canvas.text(&row.label, (LEFT - 8.0, y + high / 2.0), Anchor::Right, SMALL, INK);
            }
            for (j, &share) in row.shares.iter().enumerate() {
                let x = LEFT + wide * j as f64;
                let color = ramp(if largest > 0.0 { share / largest } else { 0.0 });
                canvas.rect((x + 0.5, y + 0.5), (wide - 1.0, high - 1.0), color);
                if wide >= READABLE && high >= 18.0 {
                    let middle = (x + wide / 2.0, y + high / 2.0);
                    canvas.text(&percent_round(share), middle, Anchor::Middle, SMALL, readable_on(color));
                }
            }
        }
        let every = (30.0 / wide).ceil() as usize;
        for j in (0..columns).step_by(every) {
            let x = LEFT + wide * (j as f64 + 0.5);
            canvas.text(&(j + 1).to_string(), (x, bottom + 14.0), Anchor::Middle, SMALL, INK);
        }
        let middle = LEFT + (WIDTH - LEFT) / 2.0;
        canvas.text(
            &format!("{period}s since the first order →"),
            (middle, bottom + 38.0),
            Anchor::Middle,
            SMALL,
            INK,
        );
        if columns == 0 {
            canvas.text("no second period", (middle, TOP + high / 2.0), Anchor::Middle, SMALL, MUTED);
        }
        legend(canvas, bottom + 64.0, "ordered again", largest);
    });
    Chart { svg, caption }
}

fn caption(rows: &[RetentionRow], period: &str) -> String {
    let after = |n: usize| {
        let seen =
            || rows.iter().filter_map(move |row| Some((row.customers as f64, *row.shares.get(n - 1)?)));
        let customers: f64 = seen().map(|(customers, _)| customers).sum();
        (customers > 0.0).then(|| seen().map(|(customers, share)| customers * share).sum::<f64>() / customers)
    };
    let Some(next) = after(1) else {
        return format!("All first orders are in the last {period}: nobody could order in a later one yet.");
    };
    let later =
        after(6).map_or(String::new(), |share| format!(", and {} in the sixth {period}", percent(share)));
    let customers: u64 = rows.iter().map(|row| row.customers).sum();
    format!(
        "Each row is a cohort, the customers whose first order was in that {period} ({} in all); the darker a cell, the \
         larger the share that ordered in it. On average {} ordered in the {period} after their first{later}.",
        plural(customers, "customer", "customers"),
        percent(next),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, customers: u64, shares: &[f64]) -> RetentionRow {
        RetentionRow { label: label.into(), customers, shares: shares.to_vec() }
    }

    #[test]
    fn averages_are_of_customers() {
        let rows = [row("2026-01", 300, &[0.5, 0.25]), row("2026-02", 100, &[0.1]), row("2026-03", 9, &[])];
        let chart = retention(&rows, "month");
        assert!(
            chart.caption.contains("On average 40.0\u{a0}% ordered in the month after"),
            "{}",
            chart.caption
        );
        assert!(chart.svg.contains("\n50\u{a0}%\n") && chart.svg.contains("\n2026-03\n"), "{}", chart.svg);
    }

    #[test]
    fn many_cohorts_none_and_one_period() {
        let many: Vec<RetentionRow> = (0..48).map(|i| row(&i.to_string(), 5, &vec![0.1; 47 - i])).collect();
        for rows in [&many[..], &[], &[row("2026", 5, &[])]] {
            let chart = retention(rows, "year");
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf"), "{}", chart.svg);
        }
        assert!(retention(&[row("2026", 5, &[])], "year").caption.contains("last year"));
    }
}

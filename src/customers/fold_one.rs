//! The rows of one customer after another → their records, and what is counted beside them.

use crate::customers::account::Account;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Aside, Rule};
use crate::customers::record::when;
use crate::customers::scan::{Counts, Customer, PackedView, View, scan_orders};
use crate::customers::statistics::{Money, Packed, Tally};
use crate::customers::suspects::{Suspect, suspects};
use crate::history::Reason;
use crate::history::event::amount_text;

/// Folds customers one by one; what they leave is kept in the order in which they come.
pub(crate) struct FoldOne<'r, M: Money> {
    rule: &'r Rule,
    money: M,
    pub(crate) tally: Tally,
    pub(crate) aside: Vec<Aside>,
    pub(crate) suspects: Vec<Suspect>,
    pub(crate) records: Vec<u64>,
    scratch: Vec<u64>,
    account: Account<M::Sum>,
}

/// The customer whose rows are folded.
pub(crate) struct Who<'a> {
    /// The first word of its record.
    pub(crate) integer: u64,
    pub(crate) id_hash: u64,
    /// By which a [`Suspect`] names it.
    pub(crate) number: usize,
    /// The record of what was known of it before these rows.
    pub(crate) before: Option<&'a [u64]>,
}

impl<'r, M: Money> FoldOne<'r, M> {
    /// With room for `customers` records.
    pub(crate) fn new(rule: &'r Rule, money: M, customers: usize) -> FoldOne<'r, M> {
        FoldOne {
            rule,
            money,
            tally: Tally::default(),
            aside: Vec::new(),
            suspects: Vec::new(),
            records: Vec::with_capacity(customers * rule.shape.len()),
            scratch: Vec::new(),
            account: Account::default(),
        }
    }

    /// How amounts are added.
    pub(crate) fn money(&self) -> M {
        self.money
    }

    /// Folds the rows of a customer, which it sorts; `record_at` gives the words from a row's record on. Returns whether
    /// there is a record of the customer now.
    #[inline]
    pub(crate) fn fold<'a>(
        &mut self,
        who: Who<'_>,
        rows: &mut [Packed],
        record_at: impl Fn(Packed) -> &'a [u64],
        cohorts: Option<&mut CohortTally>,
    ) -> bool {
        let FoldOne { rule, money, tally, aside, records, scratch, account, .. } = self;
        let (layout, shape) = (rule.layout, rule.shape);
        rows.sort_unstable();
        let extras_of = |row: Packed| layout.extras(record_at(row));
        let customer = Customer { id_hash: who.id_hash, rows, view: PackedView(extras_of) };
        match who.before {
            Some(record) => *account = shape.account(record, *money),
            None => rule.scan.clear(account),
        }
        let mut counts = Counts { tally, cohorts, scratch };
        customer.scan(*money, &rule.scan, account, &mut counts, |row, reason| {
            let value = match reason {
                Reason::NewInHoldout => row.day().to_string(),
                _ => amount_text(row.amount(), shape.amounts),
            };
            aside.push(Aside { row: when(record_at(row)).row(), reason, value });
        });
        if account.days == 0 {
            return false;
        }
        if rows.windows(2).any(|pair| pair[0].may_equal(pair[1])) {
            // Refunds before the first order are not used, and so are not compared.
            let used = rows.iter().copied().skip_while(|row| row.day().0 < account.first_order);
            let record_of = |row: Packed| &record_at(row)[..layout.head()];
            self.suspects.extend(suspects(used, rule.drop_duplicates, record_of).map(|rows| Suspect {
                customer: who.number,
                id_hash: who.id_hash,
                before: who.before.map(<[u64]>::to_vec),
                rows,
            }));
        }
        shape.encode(who.integer, account, *money, &rule.scan, records);
        true
    }

    /// Whether rows have nothing but amounts, and nothing but the table is made of them.
    pub(crate) fn is_plain(&self) -> bool {
        let scan = &self.rule.scan;
        let more = scan.costs.is_some() || scan.periods.is_some() || !scan.ranks.is_empty();
        !more && scan.extras.words() == 0 && self.rule.cohorts.is_none()
    }

    /// Folds the rows of a customer, sorted, who has an order first of all and none of whose rows is set aside or may be
    /// equal to another, with the first word of its record and its hash. `all_orders` says that the rows are orders, and [`FoldOne::is_plain`].
    #[inline]
    pub(crate) fn fold_used<'a, R: Copy, V: View<'a, Row = R>>(
        &mut self,
        (first, id_hash): (u64, u64),
        rows: &[R],
        view: V,
        all_orders: bool,
        cohorts: Option<&mut CohortTally>,
    ) {
        let FoldOne { rule, money, tally, records, scratch, account, .. } = self;
        if all_orders {
            let rows = rows.iter().map(|&row| (view.day(row), view.amount(row)));
            scan_orders(rows, id_hash, *money, rule.scan.end(), account, tally);
        } else {
            rule.scan.clear(account);
            let customer = Customer { id_hash, rows, view };
            let mut counts = Counts { tally, cohorts, scratch };
            customer.scan(*money, &rule.scan, account, &mut counts, |_, _| {
                debug_assert!(false, "a row is set aside");
            });
        }
        rule.shape.encode(first, account, *money, &rule.scan, records);
    }
}

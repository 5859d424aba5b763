//! Rows in two words, for the histories that most companies have: ids are integers not too far apart, amounts are money
//! of a few decimals, and there is nothing else.
//!
//! First word: the id's mark, which tells its place in the partition (low half), and the row's number in the history
//! (high half). Second word, which sorts like day, amount and check: 17 bits of day, 32 of
//! amount, 11 of check, 4 of nothing. What does not fit is kept as it is, in a store of its own.

use crate::amount::AmountKind;
use crate::calendar::Day;
use crate::customers::ranges::Ranges;
use crate::customers::scan::View;
use crate::customers::store::{Open, Scatter};
use crate::error::Result;
use crate::history::event::{CHECK_BITS, Event, When, float_key, float_of, units_key, units_of};
use crate::history::{History, Sink};

/// Words of a row.
pub(crate) const ROW: usize = 2;

/// Places in a history at which its rows are looked at first.
const POINTS: u64 = if cfg!(test) { 3 } else { 16 };
/// Rows that are looked at, at each.
const ROWS: u64 = if cfg!(test) { 8 } else { 2048 };
/// If more than one amount in so many does not fit, none is tried.
const FEW: usize = 16;

/// Amounts as whole numbers of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Short {
    /// Units as they are.
    Units,
    /// Numbers that are the nearest to so many hundredths, or other parts.
    Parts(f64),
}

/// Decimals that floating-point amounts may have, by tenths: whole numbers, cents, mills.
const PARTS: [f64; 4] = [1.0, 100.0, 1000.0, 10_000.0];

/// 1.5 · 2⁵².
const ROUNDER: f64 = 6_755_399_441_055_744.0;

impl Short {
    /// The way in which nearly all of these amounts fit.
    fn of(keys: &[u64], kind: AmountKind) -> Option<Short> {
        let all_but_few =
            |short: Short| keys.iter().filter(|&&key| short.pack(key).is_none()).count() * FEW <= keys.len();
        match kind {
            AmountKind::Scaled { .. } => Some(Short::Units).filter(|&short| all_but_few(short)),
            AmountKind::Float => PARTS.map(Short::Parts).into_iter().find(|&short| all_but_few(short)),
        }
    }

    /// An amount of 32 bits that sorts like its key; `None` if it does not fit exactly.
    #[inline]
    pub(crate) fn pack(self, key: u64) -> Option<u32> {
        let whole = match self {
            Short::Units => i32::try_from(units_of(key)).ok()?,
            Short::Parts(parts) => {
                let amount = float_of(key);
                // Added to 1.5 · 2⁵², a number that is not too large is rounded to a whole one, which then stands in the
                // low bits.
                let moved = amount * parts + ROUNDER;
                let whole = moved - ROUNDER;
                if whole / parts != amount || whole.abs() > f64::from(i32::MAX) {
                    return None;
                }
                moved.to_bits() as i32
            }
        };
        Some(whole as u32 ^ 1 << 31)
    }

    /// Packs amounts as [`Short::pack`] does. Returns whether all fit; if not, what is in `out` means nothing.
    ///
    /// Rows are many: without branches several are packed at a time.
    #[inline]
    fn pack_all(self, keys: &[u64], out: &mut [u32]) -> bool {
        let mut fit = true;
        match self {
            Short::Units => {
                for (&key, out) in keys.iter().zip(out) {
                    let units = units_of(key);
                    fit &= i64::from(units as i32) == units;
                    *out = units as u32 ^ 1 << 31;
                }
            }
            Short::Parts(parts) => {
                for (&key, out) in keys.iter().zip(out) {
                    let amount = float_of(key);
                    let moved = amount * parts + ROUNDER;
                    let whole = moved - ROUNDER;
                    fit &= (whole / parts == amount) & (whole.abs() <= f64::from(i32::MAX));
                    *out = moved.to_bits() as u32 ^ 1 << 31;
                }
            }
        }
        fit
    }

    /// The amount's key.
    #[inline]
    pub(crate) fn key(self, packed: u32) -> u64 {
        let whole = (packed ^ 1 << 31) as i32;
        match self {
            Short::Units => units_key(i64::from(whole)),
            Short::Parts(parts) => float_key(f64::from(whole) / parts),
        }
    }
}

/// How the rows of a history are made narrow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Narrow {
    pub(crate) ranges: Ranges,
    pub(crate) short: Short,
    /// Of signed ids the sign bit, so that keys sort like ids.
    pub(crate) sign: u64,
}

/// Ids and amounts of some rows.
#[derive(Debug, Default)]
struct Sample {
    ids: Vec<u64>,
    amounts: Vec<u64>,
}

impl Sink for Sample {
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.ids.push(id);
        self.amounts.push(event.amount);
    }

    fn text(&mut self, _: &[u8], _: u64, _: Event<'_>) {}
}

impl Narrow {
    /// How the rows of `history` are made narrow in `partitions` partitions; `None` if few would be.
    ///
    /// No figure depends on it. A history that cannot be read is none that could be made narrow: the error shows when
    /// it is read in earnest.
    pub(crate) fn plan(history: &History, partitions: usize) -> Option<Narrow> {
        let numbered = history.rows() <= u64::from(u32::MAX);
        if history.ids().is_text() || history.extras().words() > 0 || !numbered {
            return None;
        }
        let samples: Vec<Sample> = history.sample(POINTS, ROWS).ok()?;
        let amounts: Vec<u64> = samples.iter().flat_map(|sample| sample.amounts.iter().copied()).collect();
        let short = Short::of(&amounts, history.amounts())?;
        let sign = if history.ids().is_signed() { 1 << 63 } else { 0 };
        let keys: Vec<u64> =
            samples.iter().flat_map(|sample| sample.ids.iter().map(|id| id ^ sign)).collect();
        let bounds = history.id_bounds().map(|(least, greatest)| (least ^ sign, greatest ^ sign));
        Some(Narrow { ranges: Ranges::new(&keys, bounds, partitions)?, short, sign })
    }

    /// The view of rows' second words.
    pub(crate) fn view(&self) -> NarrowView {
        NarrowView(self.short)
    }
}

/// Bits below the day, and below the amount.
const BELOW_DAY: u32 = 32 + BELOW_AMOUNT;
const BELOW_AMOUNT: u32 = CHECK_BITS + 4;

/// What a narrow row's second word says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NarrowView(Short);

impl View<'static> for NarrowView {
    type Row = u64;
    #[inline]
    fn day(&self, row: u64) -> Day {
        Day((row >> BELOW_DAY) as i32 + Day::EARLIEST.0)
    }
    #[inline]
    fn amount(&self, row: u64) -> u64 {
        self.0.key((row >> BELOW_AMOUNT) as u32)
    }
    #[inline]
    fn extras(&self, _: u64) -> &'static [u64] {
        &[]
    }
}

impl NarrowView {
    /// Whether the amount is below 0.
    #[inline]
    pub(crate) fn is_refund(row: u64) -> bool {
        row >> (BELOW_AMOUNT + 31) & 1 == 0
    }

    /// Whether no amount is below 0.
    #[inline]
    pub(crate) fn are_orders(rows: &[u64]) -> bool {
        !NarrowView::is_refund(rows.iter().fold(u64::MAX, |all, row| all & row))
    }

    /// The head of a row's record of the usual kind.
    #[inline]
    pub(crate) fn head(&self, id: u64, row: u64, number: u64) -> [u64; 3] {
        let check = row >> 4 & ((1 << CHECK_BITS) - 1);
        [id, self.amount(row), When::new(self.day(row), check, number).0]
    }

    /// The greatest word of a row of that day.
    pub(crate) fn last_of(day: Day) -> u64 {
        let days = (day.0 - Day::EARLIEST.0) as u64;
        days << BELOW_DAY | ((1 << BELOW_DAY) - 1)
    }

    #[inline]
    fn pack(when: When, amount: u32) -> u64 {
        // The day is in the same place.
        when.0 >> BELOW_DAY << BELOW_DAY | u64::from(amount) << BELOW_AMOUNT | when.check() << 4
    }
}

/// The rows of a block: mark, number in the history, second word.
#[inline]
pub(crate) fn rows(block: &[u64]) -> impl Iterator<Item = (u32, u64, u64)> {
    block.as_chunks::<ROW>().0.iter().map(|&[who, row]| (who as u32, who >> 32, row))
}

/// Rows that are packed together.
const TOGETHER: usize = 256;

/// Scatters narrow rows, and those that do not fit to a store beside theirs.
#[derive(Debug)]
pub(crate) struct NarrowScatter<'a> {
    plan: &'a Narrow,
    open: Open<'a>,
    wide: Scatter<'a>,
}

impl<'a> NarrowScatter<'a> {
    pub(crate) fn new(plan: &'a Narrow, open: Open<'a>, wide: Scatter<'a>) -> NarrowScatter<'a> {
        NarrowScatter { plan, open, wide }
    }

    /// What went wrong while blocks were handed on.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.open.check().and(self.wide.check())
    }

    /// Hands on the blocks that are not full.
    pub(crate) fn finish(self) -> Result<()> {
        self.open.finish().and(self.wide.finish())
    }

    #[inline]
    fn take(&mut self, id: u64, when: When, amount: u64) {
        let plan = self.plan;
        if let Some(short) = plan.short.pack(amount)
            && let Some((partition, mark)) = plan.ranges.mark(id ^ plan.sign)
        {
            let who = u64::from(mark) | when.row() << 32;
            self.open.block(partition, ROW).extend_from_slice(&[who, NarrowView::pack(when, short)]);
        } else {
            self.take_wide(id, Event { when, amount, extras: &[] });
        }
    }

    #[cold]
    fn take_wide(&mut self, id: u64, event: Event<'_>) {
        let ranges = &self.plan.ranges;
        let key = id ^ self.plan.sign;
        let partition = ranges.mark(key).map_or_else(|| ranges.nearest(key), |(partition, _)| partition);
        self.wide.integer_to(partition, id, &event);
    }
}

impl Sink for NarrowScatter<'_> {
    #[inline]
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.take(id, event.when, event.amount);
    }

    fn integers(&mut self, ids: &[u64], whens: &[u64], amounts: &[u64]) {
        let NarrowScatter { plan, open, .. } = self;
        let (mut shorts, mut partitions, mut rows) = ([0; TOGETHER], [0u16; TOGETHER], [[0; ROW]; TOGETHER]);
        let chunks = ids.chunks(TOGETHER).zip(whens.chunks(TOGETHER)).zip(amounts.chunks(TOGETHER));
        let mut rest = Vec::new();
        for (number, ((ids, whens), amounts)) in chunks.enumerate() {
            // Everything is made ready first: while rows are stored, which waits for memory, nothing else is.
            let mut fit = plan.short.pack_all(amounts, &mut shorts);
            for (i, ((&id, &when), &short)) in ids.iter().zip(whens).zip(&shorts).enumerate() {
                let (partition, mark) =
                    plan.ranges.mark(id ^ plan.sign).unwrap_or((usize::from(u16::MAX), 0));
                fit &= partition < usize::from(u16::MAX);
                partitions[i] = partition as u16;
                rows[i] = [u64::from(mark) | when << 32, NarrowView::pack(When(when), short)];
            }
            if fit {
                for (&partition, row) in partitions[..ids.len()].iter().zip(&rows) {
                    open.block(usize::from(partition), ROW).extend_from_slice(row);
                }
            } else {
                rest.push(number);
            }
        }
        for number in rest {
            let each = number * TOGETHER..ids.len().min((number + 1) * TOGETHER);
            each.for_each(|i| self.take(ids[i], When(whens[i]), amounts[i]));
        }
    }

    fn text(&mut self, _: &[u8], _: u64, _: Event<'_>) {
        debug_assert!(false, "narrow rows have integers as ids");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::ZERO;
    use proptest::prelude::*;

    #[test]
    fn amounts_fit_or_do_not() {
        let cents = Short::Parts(100.0);
        for x in [0.0, 0.01, 19.99, -19.99, 1234.5, -0.07, 21_474_836.47] {
            let packed = cents.pack(float_key(x)).unwrap();
            assert_eq!(float_of(cents.key(packed)).to_bits(), x.to_bits());
        }
        for x in [0.001, 1e-300, 0.1 + 0.2, 21_474_836.48, -1e300, 1e300, f64::MIN_POSITIVE] {
            assert_eq!(cents.pack(float_key(x)), None, "{x}");
        }
        for units in [0, 1, -1, i64::from(i32::MAX), i64::from(i32::MIN)] {
            let packed = Short::Units.pack(units_key(units)).unwrap();
            assert_eq!(units_of(Short::Units.key(packed)), units);
        }
        assert_eq!(Short::Units.pack(units_key(1 << 31)), None);
    }

    #[test]
    fn the_coarsest_parts_are_chosen() {
        let of = |amounts: &[f64]| {
            let keys: Vec<u64> = amounts.iter().map(|&amount| float_key(amount)).collect();
            Short::of(&keys, AmountKind::Float)
        };
        assert_eq!(of(&[5.0, -3.0]), Some(Short::Parts(1.0)));
        assert_eq!(of(&[5.0, 3.25]), Some(Short::Parts(100.0)));
        assert_eq!(of(&[5.0, 3.255]), Some(Short::Parts(1000.0)));
        assert_eq!(of(&[5.0, 1.0 / 3.0]), None);
        let mut mostly = vec![5.25; 100];
        mostly[7] = 1.0 / 3.0;
        assert_eq!(of(&mostly), Some(Short::Parts(100.0)));
    }

    proptest! {
        #[test]
        fn rows_come_back_and_sort(
            days in [-20_000..20_000i32, -20_000..20_000],
            cents in any::<[i32; 2]>(),
            checks in any::<[u64; 2]>(),
            number in 0..1u64 << 32,
        ) {
            let view = NarrowView(Short::Parts(100.0));
            let made = [0, 1].map(|i| {
                let when = When::new(Day(days[i]), checks[i], number);
                let key = float_key(f64::from(cents[i]) / 100.0);
                let row = NarrowView::pack(when, view.0.pack(key).unwrap());
                assert_eq!(view.head(7, row, number), [7, key, when.0]);
                assert_eq!(NarrowView::is_refund(row), key < ZERO);
                (row, (when.day(), key, when.check()))
            });
            prop_assert_eq!(made[0].0.cmp(&made[1].0), made[0].1.cmp(&made[1].1));
        }
    }
}

//! Whether the files of a history go together: one meaning, one type of id, one notion of time.

use std::path::Path;

use arrow_schema::DataType;

use crate::amount::AmountKind;
use crate::error::{Error, Result};
use crate::history::composite::IdPart;
use crate::history::files::ParquetFile;
use crate::history::kept::{Kept, common_type};
use crate::history::names::normalise;
use crate::history::roles::Role;
use crate::history::schema::{ColumnRef, Detected};
use crate::history::types::{IdKind, amount_scale};
use crate::history::zone::{LOCAL, Zone};

/// The files of a history, to be checked against each other.
pub(crate) struct Together<'a> {
    pub(crate) files: &'a [ParquetFile],
    pub(crate) columns: &'a [Detected],
}

impl Together<'_> {
    fn clash(&self, role: Role, left: (usize, String), right: (usize, String), remedy: &str) -> Error {
        let path = |file: usize| -> &Path { self.files[file].path() };
        Error::Incompatible {
            role: role.name(),
            left_path: path(left.0).to_path_buf(),
            left: left.1,
            right_path: path(right.0).to_path_buf(),
            right: right.1,
            remedy: remedy.to_string(),
        }
    }

    /// A role is played by columns of one name: a file where another column happened to look right would mix two
    /// meanings. Ids that a map makes customers of have a meaning in each system, and so a name.
    pub(crate) fn same_names(&self, mapped: bool) -> Result<()> {
        let text = |columns: &[&ColumnRef]| match columns {
            [] => "missing".to_string(),
            _ => columns.iter().map(|c| format!("\"{}\"", c.name)).collect::<Vec<_>>().join(", "),
        };
        let of = |columns: &Detected, role: Role| -> Vec<ColumnRef> {
            columns.cast().into_iter().filter(|(r, _)| *r == role).map(|(_, column)| column.clone()).collect()
        };
        for role in [Role::Customer, Role::Time, Role::Amount, Role::Order] {
            if mapped && role == Role::Customer {
                continue;
            }
            let first = of(&self.columns[0], role);
            let names = |columns: &[ColumnRef]| -> Vec<String> {
                columns.iter().map(|column| normalise(&column.name)).collect()
            };
            for (i, columns) in self.columns.iter().enumerate().skip(1) {
                let other = of(columns, role);
                if names(&first) != names(&other) {
                    let remedy = format!(
                        "name a column that all files have with --{}, or give files of one kind",
                        role.option()
                    );
                    let [a, b] = [&first, &other].map(|list| text(&list.iter().collect::<Vec<_>>()));
                    return Err(self.clash(role, (0, a), (i, b), &remedy));
                }
            }
        }
        Ok(())
    }

    fn data_type(&self, file: usize, column: &ColumnRef) -> &DataType {
        self.files[file].schema().field(column.index).data_type()
    }

    pub(crate) fn ids(&self, pick: impl Fn(&Detected) -> Option<&ColumnRef>, role: Role) -> Result<IdKind> {
        let kinds = self.columns.iter().enumerate().map(|(i, columns)| {
            pick(columns)
                .and_then(|column| IdKind::of(self.data_type(i, column)))
                .ok_or_else(|| Error::internal("finding columns", "a column lost its type"))
        });
        let mut joined: Option<(IdKind, IdKind)> = None;
        for (i, kind) in kinds.enumerate() {
            let kind = kind?;
            joined = Some(match joined {
                None => (kind, kind),
                Some((first, all)) => {
                    let all = all.join(kind).ok_or_else(|| {
                        self.clash(
                            role,
                            (0, first.words()),
                            (i, kind.words()),
                            "write all files with the same type of id, or read them apart",
                        )
                    })?;
                    (first, all)
                }
            });
        }
        joined.map(|(_, all)| all).ok_or_else(|| Error::NoRows { files: "no file".into() })
    }

    /// What each column of the customers' ids holds in all files.
    pub(crate) fn id_parts(&self) -> Result<Vec<IdPart>> {
        let first = &self.columns[0].customer;
        let part = |(i, column): (usize, &ColumnRef)| {
            let kind = self.ids(|columns| columns.customer.get(i), Role::Customer)?;
            Ok(IdPart { name: column.name.clone(), kind })
        };
        first.iter().enumerate().map(part).collect()
    }

    pub(crate) fn amounts(&self) -> AmountKind {
        let prices = self.exactness(|columns| Some(&columns.amount));
        if self.columns[0].quantity.is_none() {
            return prices;
        }
        match (prices, self.exactness(|columns| columns.quantity.as_ref())) {
            (AmountKind::Scaled { scale: a }, AmountKind::Scaled { scale: b }) => {
                AmountKind::Scaled { scale: a.saturating_add(b) }
            }
            _ => AmountKind::Float,
        }
    }

    /// Whether the numbers of a column are exact in all files.
    pub(crate) fn exactness(&self, pick: impl Fn(&Detected) -> Option<&ColumnRef>) -> AmountKind {
        let mut scale = 0;
        for (i, columns) in self.columns.iter().enumerate() {
            match pick(columns).and_then(|column| amount_scale(self.data_type(i, column))) {
                Some(Some(digits)) => scale = scale.max(digits),
                _ => return AmountKind::Float,
            }
        }
        AmountKind::Scaled { scale }
    }

    /// The kept columns, each of a type that holds the values of all files.
    pub(crate) fn kept(&self) -> Result<Kept> {
        let of = |(k, column): (usize, &ColumnRef)| {
            let mut common = self.data_type(0, column).clone();
            for (i, columns) in self.columns.iter().enumerate().skip(1) {
                let other = self.data_type(i, &columns.keep[k]);
                common = common_type(&common, other).ok_or_else(|| {
                    let remedy = format!(
                        "write \"{}\" with the same type in all files, or leave it out of --keep",
                        column.name
                    );
                    self.clash(Role::Keep, (0, common.to_string()), (i, other.to_string()), &remedy)
                })?;
            }
            Ok((column.name.clone(), common))
        };
        Ok(Kept::new(self.columns[0].keep.iter().enumerate().map(of).collect::<Result<_>>()?))
    }

    fn time_of(&self, file: usize) -> Time {
        let column = &self.columns[file].time;
        match self.data_type(file, column) {
            DataType::Timestamp(_, Some(zone)) => Time::Instant(zone.to_string()),
            _ if self.files[file].is_int96(column.index) => Time::Unknown,
            _ => Time::Local,
        }
    }

    /// The zone in which instants become days, which all files must agree in unless the user states one; `None` where
    /// times are taken as they stand.
    ///
    /// Times of 96 bits do not say what they are: they are instants where the user names a zone, and local where the user
    /// says so.
    pub(crate) fn zone(&self, wanted: Option<&str>) -> Result<Option<Zone>> {
        let times: Vec<Time> = (0..self.files.len()).map(|i| self.time_of(i)).collect();
        if wanted.is_none()
            && let Some(i) = times.iter().position(|time| *time == Time::Unknown)
        {
            return Err(Error::TimeUnclear {
                path: self.files[i].path().to_path_buf(),
                column: self.columns[i].time.name.clone(),
            });
        }
        let of_kind = |local: bool| times.iter().position(|time| time.is_local(wanted) == local);
        match (of_kind(true), of_kind(false)) {
            (Some(_), None) => match wanted {
                None | Some(LOCAL) => Ok(None),
                Some(name) => Err(Error::value(
                    "--zone",
                    name,
                    format!(
                        "the time column \"{}\" holds local dates without a zone, which are taken as they are",
                        self.columns[0].time.name
                    ),
                    "leave --zone out, or write the column as instants with a zone",
                )),
            },
            (_, Some(first)) if wanted == Some(LOCAL) => Err(Error::value(
                "--zone",
                LOCAL,
                format!("{} has {}", self.files[first].path().display(), times[first].words()),
                "name the zone whose days count, as in --zone Europe/Paris, or leave --zone out for the column's own",
            )),
            (Some(local), Some(instant)) => {
                let (left, right) = (local.min(instant), local.max(instant));
                let remedy = "write all files with a zone, or all without: local times are taken as they are, and instants become days in one zone (--zone)";
                let side = |i: usize| (i, times[i].words());
                Err(self.clash(Role::Time, side(left), side(right), remedy))
            }
            (None, _) => match wanted {
                Some(name) => Zone::named(name, "--zone").map(Some),
                None => self.own_zone(&times),
            },
        }
    }

    /// The zone of instants of which each says its own.
    fn own_zone(&self, times: &[Time]) -> Result<Option<Zone>> {
        let Some(Time::Instant(name)) = times.first() else { return Ok(None) };
        let named = |name: &str| Zone::named(name, "the zone of the time column");
        let zone = named(name)?;
        for (i, time) in times.iter().enumerate() {
            let same = match time {
                Time::Instant(other) => other == name || named(other)? == zone,
                _ => false,
            };
            if !same {
                let remedy = format!("say in which zone instants become days, as in --zone {name}");
                return Err(self.clash(Role::Time, (0, times[0].words()), (i, time.words()), &remedy));
            }
        }
        Ok(Some(zone))
    }
}

/// What a time column says of its zone.
#[derive(Debug, PartialEq, Eq)]
enum Time {
    /// Dates, or times of the place where they happened.
    Local,
    /// Instants, and the zone that the column names.
    Instant(String),
    /// Times of 96 bits: UTC from Spark, local from Impala.
    Unknown,
}

impl Time {
    fn is_local(&self, wanted: Option<&str>) -> bool {
        match self {
            Time::Local => true,
            Time::Instant(_) => false,
            Time::Unknown => wanted == Some(LOCAL),
        }
    }

    fn words(&self) -> String {
        match self {
            Time::Local => "a local date or time without zone".to_string(),
            Time::Instant(zone) => format!("a time in zone {zone}"),
            Time::Unknown => "an INT96 time, read as instants".to_string(),
        }
    }
}

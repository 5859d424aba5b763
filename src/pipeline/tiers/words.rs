//! Names of columns and sheets in the languages of a grading report.

use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use crate::customers::WholeFile;
use crate::error::{Error, Result};
use crate::tier::Labels;

/// A language of names and labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// Names in Chinese; what is not here keeps its own.
const CHINESE: [(&str, &str); 20] = [
    ("customer_id", "客户编号"),
    ("tier", "客户等级"),
    ("level", "等级序号"),
    ("automatic", "自动等级"),
    ("by_hand", "人工调整"),
    ("reason", "分级依据"),
    ("date", "分级日期"),
    ("orders", "订单数"),
    ("total_spend", "消费总额"),
    ("days_since_last", "距上次下单天数"),
    ("p_alive", "活跃概率"),
    ("clv", "客户终身价值"),
    ("opted_out", "谢绝联系"),
    ("scheme", "分级方案"),
    ("rule", "规则"),
    ("customers", "客户"),
    ("share_of_customers", "客户占比"),
    ("share_of_spend", "消费占比"),
    ("effective", "生效客户数"),
    ("summary", "汇总"),
];

impl Language {
    /// What a column is called.
    pub(super) fn column(self, name: &str) -> String {
        let chinese = CHINESE.iter().find(|(own, _)| *own == name).map(|(_, chinese)| *chinese);
        chinese.filter(|_| self == Language::Zh).unwrap_or(name).to_string()
    }

    /// What a column of a scheme is called, such as `tier_value`.
    pub(super) fn of_scheme(self, what: &str, key: &str) -> String {
        format!("{}_{key}", self.column(what))
    }

    /// What a sheet is called.
    pub(super) fn word(self, name: &'static str) -> &'static str {
        match (self, name) {
            (Language::Zh, "customers") => "客户",
            (Language::Zh, "summary") => "汇总",
            (Language::En, "customers") => "Customers",
            (Language::En, "summary") => "Summary",
            (_, other) => other,
        }
    }

    /// A label in this language.
    pub(super) fn label(self, labels: &Labels) -> &str {
        match self {
            Language::En => &labels.en,
            Language::Zh => &labels.zh,
        }
    }
}

/// A table of tiers in whatever language it was written: its columns are called by their own names.
///
/// # Errors
/// As for [`WholeFile::open`].
pub fn open_tiers(path: &Path, id: Option<&str>) -> Result<WholeFile> {
    WholeFile::open_called(path, id, &own_name)
}

/// The name of a column that is called so in Chinese; none where it is not. The key of a scheme follows it.
fn own_name(chinese: &str) -> Option<String> {
    let (name, key) = chinese.split_once('_').map_or((chinese, None), |(name, key)| (name, Some(key)));
    let (own, _) = CHINESE.iter().find(|(_, known)| *known == name)?;
    Some(key.map_or(own.to_string(), |key| format!("{own}_{key}")))
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Language> {
        match text {
            "en" => Ok(Language::En),
            "zh" => Ok(Language::Zh),
            _ => Err(Error::value("the language", text, "there are no labels in it", "choose en or zh")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_names_lead_back_to_their_own() {
        for (own, chinese) in CHINESE {
            assert_eq!(own_name(chinese).as_deref(), Some(own));
            assert_eq!(own_name(&Language::Zh.of_scheme(own, "by_region")), Some(format!("{own}_by_region")));
            assert_eq!(own_name(own), None);
        }
        let mut names: Vec<&str> = CHINESE.iter().map(|(_, chinese)| *chinese).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHINESE.len());
    }
}

//! Names of columns and sheets in the languages of a grading report.

use std::str::FromStr;

use serde::Serialize;

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
const CHINESE: [(&str, &str); 19] = [
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

//! The parameters of a fit with covariates, and the plain ones of each customer.

use std::marker::PhantomData;
use std::sync::Arc;

use super::customer::CovariateModel;
use super::{Covariates, DesignMatrix, Encoding, Value};
use crate::calendar::Unit;
use crate::clv::dense::{Matrix, dot};
use crate::clv::model::Parametric;
use crate::error::{Error, Result};

/// Parameters of a model whose customers differ by covariates.
///
/// As [`Parametric`], its natural parameters are the model's, followed by the coefficients of purchases and of dropout
/// on the covariates' own scales, which have names of their own in [`super::CovariateReport::coefficients`].
#[derive(Debug, Clone)]
pub struct WithCovariates<M: CovariateModel> {
    pub(super) base: M::Params,
    pub(super) purchase: Effects,
    pub(super) dropout: Effects,
    pub(super) model: PhantomData<M>,
}

/// The coefficients of one design, by standardised column.
#[derive(Debug, Clone)]
pub(super) struct Effects {
    encoding: Arc<Encoding>,
    scales: Arc<[f64]>,
    coefficients: Vec<f64>,
}

impl Effects {
    pub(super) fn new(design: &DesignMatrix) -> Effects {
        Effects {
            encoding: design.encoding().clone(),
            scales: design.columns().iter().map(|column| column.scale).collect(),
            coefficients: vec![0.0; design.width()],
        }
    }

    /// How values become columns.
    pub(super) fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// The coefficients on the covariates' own scales, by column.
    pub(super) fn own_scale(&self) -> impl Iterator<Item = f64> {
        self.coefficients.iter().zip(self.scales.iter()).map(|(c, scale)| c / scale)
    }

    fn of(&self, design: &DesignMatrix, customer: usize) -> Result<f64> {
        if *design.encoding() != self.encoding {
            let remedy = "give the covariates of the fit; new customers by their values";
            return Err(Error::value("the covariates", "others", "they are not those of the fit", remedy));
        }
        if customer >= design.customers() {
            let problem = format!("there are {} customers", design.customers());
            return Err(Error::value("the customer", customer, problem, "customers are numbered from 0"));
        }
        Ok(dot(&self.coefficients, design.row(design.row_of(customer))))
    }
}

impl<M: CovariateModel> WithCovariates<M> {
    /// The parameters at the means of numeric covariates and the reference levels of categorical ones.
    pub fn base(&self) -> &M::Params {
        &self.base
    }

    /// The plain parameters of a customer with these values, in the order of the fit's covariates.
    ///
    /// # Errors
    /// Those of [`Encoding::row`].
    pub fn params_for(&self, purchase: &[Value<'_>], dropout: &[Value<'_>]) -> Result<M::Params> {
        let purchases = dot(&self.purchase.coefficients, &self.purchase.encoding.row(purchase)?);
        let leaves = dot(&self.dropout.coefficients, &self.dropout.encoding.row(dropout)?);
        Ok(M::shifted(&self.base, purchases, leaves))
    }

    /// The plain parameters of a customer of the fit, which must have been of `covariates`.
    ///
    /// # Errors
    /// Other covariates, or no such customer.
    pub fn params_of(&self, covariates: &Covariates, customer: usize) -> Result<M::Params> {
        let purchases = self.purchase.of(&covariates.purchase, customer)?;
        let leaves = self.dropout.of(&covariates.dropout, customer)?;
        Ok(M::shifted(&self.base, purchases, leaves))
    }

    /// The scales of all coefficients: purchases, then dropout.
    pub(super) fn scales(&self) -> impl Iterator<Item = f64> {
        self.purchase.scales.iter().chain(self.dropout.scales.iter()).copied()
    }

    /// All coefficients of standardised columns: purchases, then dropout.
    pub(super) fn coefficients(&self) -> impl Iterator<Item = f64> {
        self.purchase.coefficients.iter().chain(&self.dropout.coefficients).copied()
    }
}

impl<M: CovariateModel> Parametric for WithCovariates<M> {
    const MODEL: &'static str = M::Params::MODEL;
    const NAMES: &'static [&'static str] = M::Params::NAMES;

    fn unit(&self) -> Option<Unit> {
        self.base.unit()
    }

    fn natural(&self) -> Vec<f64> {
        let own_scale = self.coefficients().zip(self.scales()).map(|(c, scale)| c / scale);
        self.base.natural().into_iter().chain(own_scale).collect()
    }

    fn scale_free(&self) -> Vec<f64> {
        self.base.scale_free().into_iter().chain(self.coefficients()).collect()
    }

    fn with_scale_free(&self, theta: &[f64]) -> WithCovariates<M> {
        let mut out = self.clone();
        let (base, coefficients) = theta.split_at(M::Params::NAMES.len());
        let (purchase, dropout) = coefficients.split_at(self.purchase.coefficients.len());
        out.base = self.base.with_scale_free(base);
        out.purchase.coefficients = purchase.to_vec();
        out.dropout.coefficients = dropout.to_vec();
        out
    }

    fn jacobian(&self) -> Matrix {
        let base = self.base.jacobian();
        let scales: Vec<f64> = self.scales().collect();
        let mut out = Matrix::zeros(base.dim() + scales.len());
        for i in 0..base.dim() {
            for j in 0..base.dim() {
                out[(i, j)] = base[(i, j)];
            }
        }
        for (k, scale) in scales.iter().enumerate() {
            out[(base.dim() + k, base.dim() + k)] = 1.0 / scale;
        }
        out
    }
}
